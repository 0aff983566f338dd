#pragma once
/// Listening sockets passed to this process at its start: by systemd, for a .socket unit (sd_listen_fds(3)),
/// or by the gateway that it succeeds (app/successor.hpp). No connection is refused meanwhile, since they
/// were never closed.
///
/// Ownership: owns those not extracted. Thread rule: the main thread, before others start (it changes the
/// environment). Errors: none; what is not a listening socket is closed.
#include <string>
#include <vector>

#include "base/file_descriptor.hpp"
#include "config/gateway.hpp"

namespace spillway::app {

class InheritedSockets {
public:
    InheritedSockets() = default;
    /// The descriptors from 3 on, as counted by LISTEN_FDS for LISTEN_PID, or by a predecessor.
    [[nodiscard]] static InheritedSockets of_environment();
    explicit InheritedSockets(std::vector<FileDescriptor> sockets) : sockets_(std::move(sockets)) {}

    /// Moves out those that listen at `where`.
    [[nodiscard]] std::vector<FileDescriptor> extract(const config::ListenConfig& where);
    /// The addresses of those that were not extracted.
    [[nodiscard]] std::vector<std::string> left() const;

private:
    std::vector<FileDescriptor> sockets_;
};

}  // namespace spillway::app
