#pragma once
/// The connection to the client, as relays use it (start, send, abort), with the notes for the report.
///
/// Ownership: lives within its request; its arguments outlive it. Thread rule: its worker's thread.
/// Errors: sends return false once the client is gone.
///
/// While a stream has no output, heartbeats keep its client and proxies in between from giving up: the head
/// is sent with a comment, followed by more comments. Another backend can still be asked.
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

    /// For a requested stream: sends heartbeats until the answer starts.
    void begin_heartbeats();
    /// The backend says that it is at work: so its client hears at once, in its own words if it has any.
    void show_alive(std::string comments = {});
    /// Starts the answer with the head from Report::served_by, to be sent with the first send().
    void start(const http::ResponseHead& head, std::optional<std::uint64_t> length);
    Task<bool> send(std::span<const std::string_view> pieces, bool last);
    /// Like send(), see http::Exchange::write_now(); then flush().
    std::optional<bool> send_now(std::span<const std::string_view> pieces);
    Task<bool> flush();
    /// Breaks off visibly for the client.
    void abort() { exchange_.abort(); }
    /// Sends the gateway's own JSON …
    Task<void> answer(std::string_view json);
    /// … or its refusal.
    Task<void> refuse(const Refusal& why);

    /// Whether a heartbeat has sent a stream's head, so that only events can follow.
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
    bool began_ = false;              ///< to send the answer: spares each chunk a look at the report
    bool head_sent_ = false;          ///< by a heartbeat
    bool heartbeat_pending_ = false;  ///< not yet completely accepted by the socket
    Timeout heartbeat_;
    std::string comments_;                    ///< of the backend, under way
    std::span<const std::string_view> held_;  ///< waiting for it
};

}  // namespace spillway::gateway
