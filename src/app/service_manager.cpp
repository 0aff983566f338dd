#include "app/service_manager.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace spillway::app {
namespace {

std::optional<std::uint64_t> number_of(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    std::uint64_t out = 0;
    const char* end = text + std::strlen(text);
    const auto [at, error] = std::from_chars(text, end, out);
    if (error != std::errc() || at != end) return std::nullopt;
    return out;
}

/// What systemd set is for the process it started, not for that one's children.
std::optional<Duration> watchdog_of_environment() {
    const auto limit = number_of("WATCHDOG_USEC");
    if (!limit || *limit == 0) return std::nullopt;
    const auto pid = number_of("WATCHDOG_PID");
    if (pid && *pid != static_cast<std::uint64_t>(::getpid())) return std::nullopt;
    return std::chrono::microseconds(*limit / 2);
}

}  // namespace

ServiceManager ServiceManager::of_environment() {
    const char* socket = std::getenv("NOTIFY_SOCKET");
    return {socket == nullptr ? "" : socket, watchdog_of_environment()};
}

void ServiceManager::reloading() const {
    // systemd 253 and newer wants to know when the reload began, on CLOCK_MONOTONIC.
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                     std::int64_t{now.tv_sec} * 1'000'000 + std::int64_t{now.tv_nsec} / 1000));
}

void ServiceManager::send(std::string_view message) const {
    sockaddr_un address{};
    if (socket_.empty() || socket_.size() >= sizeof(address.sun_path)) return;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_.front() == '@') address.sun_path[0] = '\0';
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    (void)::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL,
                   reinterpret_cast<const sockaddr*>(&address), length);
    ::close(fd);
}

}  // namespace spillway::app
