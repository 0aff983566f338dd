#pragma once
/// One client connection that uses HTTP/2 (RFC 9113). Internal to the http room. nghttp2 keeps the protocol's
/// state; this class moves its bytes through TLS, and runs a handler for each stream with a request.
///
/// Against floods, besides nghttp2's own limits (unread acknowledgements, SETTINGS, CONTINUATION): streams
/// are refused while handlers of cancelled ones still run; a client that cancels too often (CVE-2023-44487)
/// or sends endless fields is cut off; and nothing more is read from one that does not read its answers.
///
/// Ownership: owned by run() and its handlers' coroutines; keeps the owner of its Stream alive.
/// Thread rule: its Loop's thread. Errors end the connection.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/event.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "http/buffer.hpp"
#include "http/responder.hpp"
#include "http/stream.hpp"

namespace spillway::http {

class Http2Exchange;

/// How much of a body a client may send before it is read: the initial window of streams.
inline constexpr std::size_t first_window = 64 * 1024 - 1;

class Http2Connection final : public std::enable_shared_from_this<Http2Connection> {
public:
    /// `peer` and `certificate` belong to the owner, too.
    Http2Connection(Stream& stream, std::shared_ptr<void> owner, Loop& loop,
                    std::shared_ptr<const ServerShared> shared, std::string_view peer,
                    PeerCertificate* certificate);
    Http2Connection(const Http2Connection&) = delete;
    Http2Connection& operator=(const Http2Connection&) = delete;
    ~Http2Connection();

    /// Serves until the connection and the last handler end. A shared_ptr must hold it until then.
    Task<void> run();
    /// Its client has too many connections: each request gets 429. Before run().
    void refuse_requests() noexcept { crowded_ = true; }
    /// Sends GOAWAY, and ends after the last stream.
    void drain();
    [[nodiscard]] bool idle() const noexcept { return open_.empty() && busy_ == 0; }

    // For its exchanges
    [[nodiscard]] nghttp2_session* session() const noexcept { return session_.get(); }
    [[nodiscard]] const ServerLimits& limits() const noexcept { return shared_->limits; }
    [[nodiscard]] TimerWheel& wheel() const noexcept { return wheel_; }
    [[nodiscard]] Loop& loop() const noexcept { return loop_; }
    [[nodiscard]] std::string_view peer() const noexcept { return peer_; }
    [[nodiscard]] PeerCertificate* certificate() const noexcept { return certificate_; }
    /// Sends what the session has to send, as far as the socket accepts it.
    void pump();
    /// Like pump(), but from the event loop: for timers, since it may destroy their exchange.
    void pump_later();
    /// The head of the exchange's request is complete.
    void ready(Http2Exchange& exchange);

    /// Charges the budget for the bodies of its requests together; an upload that is larger takes all of it.
    /// A request that finds no room waits its turn.
    [[nodiscard]] bool charge(MemoryCharge& body, std::size_t bytes) noexcept {
        const std::size_t most = std::max(limits().max_connection_body_bytes, limits().max_body_bytes);
        bodies_.use_limit(most);
        return body.grow_to(&bodies_, std::min(bytes, most));
    }
    struct BodyTurn
        : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        explicit BodyTurn(Event& e) : event(e) {}
        Event& event;
    };
    [[nodiscard]] bool has_body_turns() const noexcept { return !body_turns_.empty(); }
    [[nodiscard]] bool is_next(const BodyTurn& turn) const noexcept { return &body_turns_.front() == &turn; }
    void wait_for_body_turn(BodyTurn& turn) { body_turns_.push_back(turn); }
    /// There may be room now.
    void next_body_turn() noexcept {
        if (!body_turns_.empty()) body_turns_.front().event.set_later();
    }
    /// For the owner of the Stream: where the next bytes go, and their arrival.
    std::span<char> read_space();
    void unread() noexcept { in_.release(); }
    void did_read(const std::error_code& ec, std::size_t n);
    /// Ends the session with GOAWAY, at once or when nghttp2 has returned.
    void give_up(std::uint32_t code);

private:
    class Busy;
    friend struct Http2Callbacks;
    struct Delete {
        void operator()(nghttp2_session* session) const noexcept { nghttp2_session_del(session); }
    };

    static Task<void> serve(std::shared_ptr<Http2Connection> self, std::shared_ptr<Http2Exchange> exchange);
    void read();
    void write();
    Task<void> write_all();
    void settle();
    void end_if_over();
    void close_streams();
    void fail();
    void say_goodbye();
    void refuse_new_streams();
    void count_reset();

    // http2_callbacks.cpp: nghttp2's callbacks
    void open_session();
    void on_request(std::int32_t id);
    void on_frame(const nghttp2_frame& frame);
    void on_closed(std::int32_t id);
    void on_sent(const nghttp2_frame& frame);

    Stream& stream_;
    const std::shared_ptr<void> owner_;
    Loop& loop_;
    TimerWheel& wheel_;
    const std::shared_ptr<const ServerShared> shared_;
    const std::string_view peer_;
    PeerCertificate* const certificate_;
    Timeout idle_;     // no request arrives
    Timeout stuck_;    // a write makes no progress
    Timeout goodbye_;  // the client does not close, or does not answer the drain's PING
    Buffer in_;
    Buffer out_;
    MemoryBudget bodies_{0};
    boost::intrusive::list<BodyTurn, boost::intrusive::constant_time_size<false>> body_turns_;
    Event over_;
    std::unordered_map<std::int32_t, std::shared_ptr<Http2Exchange>> open_;
    std::vector<std::shared_ptr<Http2Exchange>> ready_;
    std::vector<std::shared_ptr<Http2Exchange>> departed_;
    std::optional<std::uint32_t> doom_;  // the code to give up with
    std::size_t busy_ = 0;               // running handlers
    double resets_left_ = 0;
    Mono resets_counted_{};
    bool greeted_ = false;     // a request has arrived
    bool in_session_ = false;  // nghttp2 is on the stack
    bool reading_ = false;
    bool writing_ = false;
    bool draining_ = false;
    bool crowded_ = false;
    bool last_call_ = false;  // no more streams are accepted
    bool leaving_ = false;    // everything has been sent
    bool dead_ = false;
    // The last member: its destructor's callbacks use the others.
    std::unique_ptr<nghttp2_session, Delete> session_;
};

}  // namespace spillway::http
