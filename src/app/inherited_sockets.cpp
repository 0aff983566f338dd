#include "app/inherited_sockets.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "app/successor.hpp"
#include "base/strings.hpp"
#include "http/acceptor.hpp"

namespace spillway::app {
namespace {

constexpr int kMost = 4096;

/// The number that a variable has, which is for this process alone.
int taken(const char* name) {
    const char* const text = std::getenv(name);
    const int number = text == nullptr ? 0 : parse_int<int>(text).value_or(0);
    ::unsetenv(name);
    return std::clamp(number, 0, kMost);
}

bool is_any_address(std::string_view host) {
    return host == "0.0.0.0" || host == "::";
}

bool matches(const http::Endpoint& socket, const config::ListenConfig& where) {
    if (where.port == 0 || socket.port() != where.port) return false;
    const auto wanted =
        http::Endpoint::parse(where.host == "localhost" ? "127.0.0.1" : where.host, where.port);
    if (wanted && *wanted == socket) return true;
    // systemd's `ListenStream=8080` is [::]:8080, which takes IPv4 as well.
    const std::string text = socket.to_string();
    return is_any_address(where.host) && (text.starts_with("[::]:") || text.starts_with("0.0.0.0:"));
}

}  // namespace

InheritedSockets InheritedSockets::of_environment() {
    const char* const pid = std::getenv("LISTEN_PID");
    const bool ours = pid != nullptr && parse_int<int>(pid) == static_cast<int>(::getpid());
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDNAMES");
    const int of_systemd = taken("LISTEN_FDS");
    const int of_predecessor = taken(kSocketsVariable);
    InheritedSockets out;
    for (int fd = kFirstSocket; fd < kFirstSocket + std::max(ours ? of_systemd : 0, of_predecessor); ++fd) {
        FileDescriptor socket(fd);
        if (!http::listens_at(fd)) continue;
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);  // NOLINT(*-signed-bitwise)
        out.sockets_.push_back(std::move(socket));
    }
    return out;
}

std::vector<FileDescriptor> InheritedSockets::extract(const config::ListenConfig& where) {
    std::vector<FileDescriptor> out;
    for (FileDescriptor& socket : sockets_)
        if (const auto at = http::listens_at(socket.get()); at && matches(*at, where))
            out.push_back(std::move(socket));
    std::erase_if(sockets_, [](const FileDescriptor& socket) { return !socket.is_open(); });
    return out;
}

std::vector<std::string> InheritedSockets::left() const {
    std::vector<std::string> out;
    for (const FileDescriptor& socket : sockets_)
        if (const auto at = http::listens_at(socket.get())) out.push_back(at->to_string());
    return out;
}

}  // namespace spillway::app
