#pragma once
/// The way to the client: what relays may do with it (start, send, abort) and what is noted of it.
///
/// Ownership: lives within its request; what it is made of outlives it. Thread rule: its worker's thread.
/// Errors: sends are false once the client is gone.
///
/// While a stream has nothing to show, heartbeats keep its client and the proxies between from giving up: the
/// head goes down with a comment, and then one comment after the other. Another backend can still be asked.
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "gateway/asked.hpp"
#include "gateway/report.hpp"
#include "gateway/request_clock.hpp"
#include "http/message.hpp"
#include "http/server.hpp"
#include "quota/client_quota.hpp"

namespace spillway::gateway {

class Downstream {
public:
    Downstream(http::Exchange& exchange, const config::GatewayConfig& config, const Asked& asked,
               const quota::Subjects& subjects, Report& report, RequestClock& clock)
        : exchange_(exchange),
          config_(config),
          asked_(asked),
          subjects_(subjects),
          report_(report),
          clock_(clock),
          heartbeat_([this] { beat(); }) {}

    /// A stream was asked for: heartbeats, until the answer starts.
    void begin_heartbeats();
    /// The backend says that it is at work: so its client hears at once, in its own words if it has any.
    void show_alive(std::string comments = {});
    /// Begins the answer with the head of Report::served_by's; it goes out with the first send.
    void start(const http::ResponseHead& head, std::optional<std::uint64_t> length);
    Task<bool> send(std::span<const std::string_view> pieces, bool last);
    /// As send(), see http::Exchange::write_now(); then flush().
    std::optional<bool> send_now(std::span<const std::string_view> pieces);
    Task<bool> flush();
    /// A break that the client can see.
    void abort() { exchange_.abort(); }
    /// The gateway's own JSON, whole …
    Task<void> answer(std::string_view json);
    /// … and its own refusal.
    Task<void> refuse(const Refusal& why);

    /// A heartbeat sent the head of a stream: what follows has to be events.
    [[nodiscard]] bool is_stream_already() const noexcept { return head_sent_; }
    [[nodiscard]] bool client_gone() const noexcept { return exchange_.client_gone(); }

private:
    void append_fields(std::string& out) const;
    void beat(std::string_view comment = {});
    Task<bool> flush_heartbeat();
    void note_sent(bool last) noexcept;

    http::Exchange& exchange_;
    const config::GatewayConfig& config_;
    const Asked& asked_;
    const quota::Subjects& subjects_;
    Report& report_;
    RequestClock& clock_;
    Timeout heartbeat_;
    bool head_sent_ = false;                  ///< by a heartbeat
    std::string comments_;                    ///< of the backend, under way
    bool heartbeat_pending_ = false;          ///< not yet taken by the socket whole
    std::span<const std::string_view> held_;  ///< what waits for it
};

}  // namespace spillway::gateway
