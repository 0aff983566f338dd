#pragma once
/// Reports the service's state to systemd: ready, reloading, stopping, and alive for its watchdog. Uses the
/// protocol of sd_notify(3), a datagram of NAME=value lines to the socket named by NOTIFY_SOCKET, without
/// libsystemd. Without NOTIFY_SOCKET it does nothing. Errors: none; what cannot be sent is lost, which
/// systemd's own time-outs detect. Thread rule: one thread.
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace spillway::app {

class ServiceManager {
public:
    /// `socket` in the form of NOTIFY_SOCKET (a path, or '@' and a name in the abstract namespace); empty: no
    /// systemd.
    ServiceManager(std::string socket, std::optional<Duration> watchdog)
        : socket_(std::move(socket)), watchdog_(watchdog) {}

    /// From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    [[nodiscard]] static ServiceManager of_environment();

    void ready() const { send("READY=1"); }
    void reloading() const;
    void stopping() const { send("STOPPING=1"); }
    /// Declares another process the service's main process.
    void succeeded_by(int pid) const { send("MAINPID=" + std::to_string(pid)); }
    void alive() const { send("WATCHDOG=1"); }
    /// How often to call alive(): half of the watchdog's time. nullopt: there is no watchdog.
    [[nodiscard]] std::optional<Duration> watchdog() const noexcept { return watchdog_; }

private:
    void send(std::string_view message) const;

    std::string socket_;
    std::optional<Duration> watchdog_;
};

}  // namespace spillway::app
