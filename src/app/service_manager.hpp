#pragma once
/// Tells systemd how the service is doing: ready, reloading, stopping, and alive for its watchdog. The
/// protocol is that of sd_notify(3): a datagram of NAME=value lines to the socket that NOTIFY_SOCKET names.
/// libsystemd is not needed for it. Without NOTIFY_SOCKET, all of this does nothing. Errors: none; what
/// cannot be sent is lost, and systemd's own time-outs then say so. Thread rule: any one thread.
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace spillway::app {

class ServiceManager {
public:
    /// `socket` as NOTIFY_SOCKET has it (a path, or '@' and a name in the abstract namespace); empty: nobody
    /// listens.
    ServiceManager(std::string socket, std::optional<Duration> watchdog)
        : socket_(std::move(socket)), watchdog_(watchdog) {}

    /// From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    [[nodiscard]] static ServiceManager of_environment();

    void ready() const { send("READY=1"); }
    void reloading() const;
    void stopping() const { send("STOPPING=1"); }
    /// Another process is the service from now on.
    void succeeded_by(int pid) const { send("MAINPID=" + std::to_string(pid)); }
    void alive() const { send("WATCHDOG=1"); }
    /// How often alive() is to be called: half of what systemd waits for. Nothing: there is no watchdog.
    [[nodiscard]] std::optional<Duration> watchdog() const noexcept { return watchdog_; }

private:
    void send(std::string_view message) const;

    std::string socket_;
    std::optional<Duration> watchdog_;
};

}  // namespace spillway::app
