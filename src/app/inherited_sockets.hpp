#pragma once
/// Listening sockets that whoever started this process left open for it: systemd, for a .socket unit
/// (sd_listen_fds(3)), or the gateway that this one follows (app/successor.hpp). Nobody who connects
/// meanwhile is refused, since they were never closed.
///
/// Ownership: owns those that nobody took. Thread rule: the main thread, before others begin (it changes the
/// environment). Errors: none; what is not a listening socket is closed.
#include <string>
#include <vector>

#include "base/file_descriptor.hpp"
#include "config/gateway.hpp"

namespace spillway::app {

class InheritedSockets {
public:
    InheritedSockets() = default;
    /// Those from descriptor 3 on that LISTEN_FDS, for LISTEN_PID, or a predecessor count.
    [[nodiscard]] static InheritedSockets of_environment();
    explicit InheritedSockets(std::vector<FileDescriptor> sockets) : sockets_(std::move(sockets)) {}

    /// Those that listen at `where`.
    [[nodiscard]] std::vector<FileDescriptor> extract(const config::ListenConfig& where);
    /// Where those listen that nobody took.
    [[nodiscard]] std::vector<std::string> left() const;

private:
    std::vector<FileDescriptor> sockets_;
};

}  // namespace spillway::app
