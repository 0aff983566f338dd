#pragma once
/// One attempt at one backend: created when the router has chosen it, destroyed when it is over. Sends the
/// request, reads the head, and leaves the rest to a relay. Reports its end to the router exactly once, at
/// the latest on destruction.
///
/// Ownership: lives within its request; its arguments outlive it. Thread rule: its worker's thread.
/// Errors: AttemptEnd::failed after a failure that showed the client nothing.
#include <optional>

#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "gateway/asked.hpp"
#include "gateway/downstream.hpp"
#include "gateway/pause.hpp"
#include "gateway/report.hpp"
#include "gateway/request_clock.hpp"
#include "gateway/upstream_port.hpp"
#include "gateway/upstream_request.hpp"
#include "gateway/worker.hpp"
#include "routing/attempt_history.hpp"
#include "routing/blame.hpp"
#include "routing/router.hpp"

namespace spillway::gateway {

class OwnList;

/// The parts of a request that its attempts and relays use.
struct RequestParts {
    Worker& worker;
    Upstreams& upstreams;
    http::Exchange& exchange;
    UpstreamPort& upstream;
    Asked& asked;
    UpstreamRequest& upstream_request;
    Report& report;
    RequestClock& clock;
    Downstream& downstream;
    const quota::Subjects& subjects;
    const bool& late;   ///< the request has taken too long
    Timeout& deadline;  ///< by which its answer must start
    routing::AttemptHistory history{};
    OwnList* list = nullptr;  ///< that gets the answers' pages; null: they are the client's

    [[nodiscard]] bool over() const noexcept { return late || worker.ending() || exchange.client_gone(); }
    [[nodiscard]] const config::GatewayConfig& config() const noexcept { return upstreams.snapshot->config; }
    /// The same when the same client sends the same request again. Reads the body.
    [[nodiscard]] std::uint64_t fingerprint() const noexcept;
};

enum class AttemptEnd : std::uint8_t {
    answered,  ///< the client has its answer, or has left
    failed,    ///< nothing was sent to the client: see Report::tried
};

class Attempt {
public:
    Attempt(RequestParts& parts, const routing::Lease& lease);
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt();

    Task<AttemptEnd> run();
    /// Ends its present wait.
    void cancel() noexcept;

    // For its relays:
    [[nodiscard]] RequestParts& parts() noexcept { return parts_; }
    [[nodiscard]] UpstreamPort& upstream() noexcept { return *upstream_; }
    [[nodiscard]] routing::BackendIndex backend() const noexcept { return lease_.backend; }
    [[nodiscard]] const config::BackendConfig& config() const {
        return parts_.config().backends[lease_.backend];
    }
    /// The backend is serving: a 2xx head, or a stream's first real output.
    void serves(const api::RateLimits& limits);
    /// From here on the answer is this backend's.
    void answer_begins() noexcept { parts_.report.served_by = lease_.backend; }
    /// Its first output has arrived.
    void output_begins() noexcept;
    /// Reports its end, once; only release() remains.
    void report(routing::Outcome outcome);
    /// Releases the connection; `reuse`: the answer was read to its end.
    AttemptEnd release(bool reuse);
    AttemptEnd ended(routing::Outcome outcome, bool reuse) {
        report(std::move(outcome));
        return release(reuse);
    }
    /// It is over, and nothing was sent to the client.
    AttemptEnd failed(routing::Outcome outcome);
    AttemptEnd failed(const http::NetError& error);
    /// Classifies a backend's silence or a broken connection.
    [[nodiscard]] routing::Came came_of(const http::NetError& error) const noexcept;
    /// Judges evidence about this attempt.
    [[nodiscard]] routing::Outcome judge(routing::Evidence evidence, const http::ResponseHead* head) const;
    /// Time left for the first output.
    [[nodiscard]] Duration time_left() const noexcept;
    /// How long it may be silent after that.
    [[nodiscard]] Duration stall() const noexcept { return timeouts_.stall; }
    /// What the backend said, should it have said its own key.
    [[nodiscard]] std::string without_credential(std::string_view text) const;

private:
    Task<http::NetResult<const http::ResponseHead*>> send_and_read_head();
    [[nodiscard]] bool write_request();
    Task<AttemptEnd> relay(const http::ResponseHead& head);
    [[nodiscard]] bool is_from_proxy(const http::ResponseHead& head) const noexcept;
    Task<AttemptEnd> relay_what_begins(const http::ResponseHead& head);
    [[nodiscard]] bool may_add_stream_options() const noexcept;
    Task<void> drain_short_answer(const http::ResponseHead& head);
    [[nodiscard]] const identity::CredentialSource& credential() const {
        return *parts_.upstreams.snapshot->credentials[backend()];
    }
    /// Waits for the successor of a refused credential; false if there is none.
    Task<bool> credential_renewed(std::uint64_t refused);

    RequestParts& parts_;
    routing::Lease lease_;
    const Mono began_at_;
    UpstreamPort* const upstream_;
    config::DeploymentTimeouts timeouts_;
    Pause pause_;
    Duration first_byte_{};
    bool reported_ = false;
    bool without_options_ = false;  ///< stream_options was refused here
};

}  // namespace spillway::gateway
