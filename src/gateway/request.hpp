#pragma once
/// One request's life: authenticate, admit, pick, attempt, retry, stream back, account.
///
/// Before the answer's first byte went down, a failed attempt is followed at once by another backend; after
/// it, a failure ends with an error event, never in silence. A stream is committed late: its preamble waits
/// for the first real output (DESIGN, "The request's way").
///
/// Ownership: lives in its handler's coroutine frame; the worker and the exchange outlive it.
/// Thread rule: its worker's thread.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/container/small_vector.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/request_scan.hpp"
#include "api/route.hpp"
#include "api/usage.hpp"
#include "gateway/worker.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "http/timer_wheel.hpp"

namespace spillway::gateway {

/// Memory that one request after the other uses: once it has grown, a request allocates nothing.
struct Scratch {
    std::string id;
    std::string deployment;
    std::string upstream_head;
    std::string edit;

    /// Empties all, and gives back what an odd request made large.
    void clear();
};

class Request {
public:
    Request(Worker& worker, http::Exchange& exchange, Scratch& scratch);
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request();

    asio::awaitable<void> run();

private:
    /// What follows an attempt.
    enum class Next : std::uint8_t { answered, elsewhere };
    /// An attempt's claim; its end is reported exactly once, at the latest when it is destroyed.
    class Claim;
    /// Why a request is answered before it is tried anywhere.
    struct Refused {
        unsigned status;
        std::string message;
        std::string_view type;
        std::string_view code;
    };
    struct Note {
        routing::BackendIndex backend;
        unsigned status;
        routing::OutcomeKind kind;
        Duration took;
    };

    // request.cpp: admission and the loop over backends
    void take_id();
    [[nodiscard]] std::optional<Refused> authenticate();
    [[nodiscard]] std::optional<Refused> understand();
    // admission.cpp
    [[nodiscard]] bool admit(quota::Refusal& why);
    [[nodiscard]] bool reserve(quota::Refusal& why);
    asio::awaitable<bool> wait_for_lease(quota::Refusal& why);
    asio::awaitable<void> refuse_limited(const quota::Refusal& why);
    [[nodiscard]] quota::Amounts wanted() const;
    [[nodiscard]] quota::Amounts charge_of(const api::Usage& usage) const;
    asio::awaitable<void> serve();
    /// Holds the request until quota frees, if the configuration allows that long; false: it does not.
    asio::awaitable<bool> wait_for_quota(Duration retry_in);
    void find_residence();
    void learn_sealed(std::string_view json, routing::BackendIndex made_by);
    asio::awaitable<void> all_out(Duration retry_in);
    asio::awaitable<void> refuse(unsigned status, std::string_view message, std::string_view type,
                                 std::string_view code, std::span<const http::Field> extra = {});
    [[nodiscard]] const config::GatewayConfig& config() const noexcept {
        return upstreams_->snapshot->config;
    }
    [[nodiscard]] const config::BackendConfig& backend(routing::BackendIndex i) const {
        return config().backends[i];
    }

    // attempt.cpp: one backend
    asio::awaitable<Next> attempt(const routing::Lease& lease);
    asio::awaitable<http::NetResult<const http::ResponseHead*>> send_and_read_head(routing::BackendIndex to);
    [[nodiscard]] std::string_view model_in_body() const noexcept;
    [[nodiscard]] bool write_upstream_request(routing::BackendIndex to);
    Next failed(Claim& claim, routing::Outcome outcome);
    Next failed(Claim& claim, const http::NetError& error);
    void cancel_upstream() noexcept;
    [[nodiscard]] bool served() const noexcept { return served_by_ && status_ < 400; }
    [[nodiscard]] bool over() const noexcept { return exchange_.client_gone() || late_; }

    // relay_plain.cpp, relay_stream.cpp: the answer
    asio::awaitable<Next> relay_stream(Claim& claim, const http::ResponseHead& head,
                                       routing::Outcome outcome);
    asio::awaitable<Next> relay_plain(Claim& claim, const http::ResponseHead& head, routing::Outcome outcome);
    asio::awaitable<Next> pass_through(Claim& claim, const http::ResponseHead& head, std::string held,
                                       routing::Outcome outcome);
    static constexpr std::size_t kTail = 4096;  ///< where a plain answer's usage is looked for
    friend class StreamRelay;
    void start_answer(const http::ResponseHead& head, std::optional<std::uint64_t> length);
    asio::awaitable<bool> send(std::span<const std::string_view> pieces, bool last);
    /// As send(), see http::Exchange::write_now().
    std::optional<bool> send_now(std::span<const std::string_view> pieces) {
        const auto sent = exchange_.write_now(pieces);
        if (sent) note_sent(false);
        return sent;
    }
    /// Some of the answer went out; `last`: all that was left of it.
    void note_sent(bool last) noexcept;

    /// Something happened: the clocks are read, once for all that follows from it.
    void read_clock() noexcept {
        const Mono now = mono_now();
        now_.wall += now - now_.mono;
        now_.mono = now;
    }

    // account.cpp
    void note_usage(const api::Usage& usage, routing::Outcome& outcome) noexcept;
    [[nodiscard]] std::optional<quota::Amounts> settle();
    void record(const std::optional<quota::Amounts>& charged);
    void enter(const quota::Amounts& charged, Duration took);
    [[nodiscard]] telemetry::Counter& answer_counter() const;
    [[nodiscard]] Metrics::Subject subject() const noexcept;
    void append_spillway_fields(std::string& out) const;
    /// Whether answers carry x-ratelimit-… fields in the client's own terms.
    [[nodiscard]] bool has_terms() const;

    Worker& worker_;
    http::Exchange& exchange_;
    const std::shared_ptr<Upstreams> upstreams_;
    const identity::ClientKeys::Shown shown_;
    const Wall began_wall_;
    quota::Now now_;  ///< the clocks when something last happened to the request

    std::string& id_;
    const Client* client_ = nullptr;
    quota::Subject* account_ = nullptr;  ///< the client's
    std::string user_;
    std::string team_;
    quota::Subjects subjects_;
    quota::Grant grant_;
    api::Route route_;
    api::RequestScan scan_;
    bool scanned_ = false;
    std::string& deployment_;  ///< deployment or model as the client named it
    routing::DeploymentRef deployment_ref_;
    quota::RequestShape shape_;
    quota::Estimate estimate_;
    std::string resident_;  ///< the id of what lives on one resource, if the request names such
    std::optional<routing::BackendIndex> pinned_;
    std::uint64_t affinity_ = 0;

    std::optional<http::Upstream> upstream_;
    http::ConnectCancel connecting_;
    std::string& upstream_head_;
    std::string& edit_scratch_;
    api::BodyPieces body_pieces_;
    bool added_usage_ = false;  ///< the client did not ask for the usage chunk: it is hidden

    http::Timeout deadline_;
    bool late_ = false;
    std::optional<asio::steady_timer> pause_;
    Duration waited_{};

    boost::container::small_vector<routing::BackendIndex, 8> tried_;  ///< since the last wait for quota
    std::size_t attempts_ = 0;
    boost::container::small_vector<Note, 4> notes_;
    std::optional<routing::BackendIndex> served_by_;
    int status_ = 0;
    std::string_view outcome_ = "ok";
    api::Usage usage_;
    bool usage_known_ = false;
    double avoided_ = 0;    ///< 429s, see routing::Choice
    bool spilled_ = false;  ///< the last attempt: see routing::Lease
    std::uint64_t output_events_ = 0;
    std::optional<Duration> first_byte_;
    bool at_once_ = false;  ///< the first byte was sent with the last
};

/// A request's place, used again and again.
struct RequestSlot {
    Scratch scratch;
    std::optional<Request> request;
};

/// An outcome of which nothing but the kind is known.
[[nodiscard]] inline routing::Outcome outcome_of(routing::OutcomeKind kind) {
    routing::Outcome outcome;
    outcome.kind = kind;
    return outcome;
}

/// Reports the attempt's end to the router and keeps the note for the log.
class Request::Claim {
public:
    Claim(Request& request, const routing::Lease& lease)
        : request_(request), lease_(lease), began_(request.now_.mono) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() {
        if (!ended_) request_.read_clock();
        end(outcome_of(routing::OutcomeKind::cancelled));
    }

    [[nodiscard]] routing::BackendIndex backend() const noexcept { return lease_.backend; }
    /// The backend serves: a 2xx head, or a stream's first real output.
    void began(const api::RateLimits& limits);
    void first_byte() noexcept {
        request_.read_clock();
        first_byte_ = request_.now_.mono - began_;
    }
    [[nodiscard]] Duration first_byte_took() const noexcept { return first_byte_; }
    /// At the moment of Request::now_.
    void end(routing::Outcome outcome);

private:
    Request& request_;
    routing::Lease lease_;
    Mono began_;
    Duration first_byte_{};
    bool ended_ = false;
};

}  // namespace spillway::gateway
