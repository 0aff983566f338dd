#include "http/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace spillway::http {

Endpoint::Endpoint(const sockaddr* address, socklen_t size) noexcept : size_(std::min(size, capacity())) {
    std::memcpy(&storage_, address, size_);
}

std::optional<Endpoint> Endpoint::parse(const std::string& address, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (address.empty() || ::getaddrinfo(address.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> held(found, ::freeaddrinfo);
    Endpoint out(found->ai_addr, found->ai_addrlen);
    out.set_port(port);
    return out;
}

// The address families' structs are meant to be seen through one another (POSIX).
const sockaddr* Endpoint::address() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage_);  // NOLINT(*-reinterpret-cast)
}
sockaddr* Endpoint::address() noexcept {
    return reinterpret_cast<sockaddr*>(&storage_);  // NOLINT(*-reinterpret-cast)
}

std::uint16_t Endpoint::port() const noexcept {
    if (family() == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &storage_, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    sockaddr_in v4{};
    std::memcpy(&v4, &storage_, sizeof v4);
    return ntohs(v4.sin_port);
}

void Endpoint::set_port(std::uint16_t port) noexcept {
    static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
    const std::uint16_t big_endian = htons(port);
    std::memcpy(reinterpret_cast<char*>(&storage_) + offsetof(sockaddr_in, sin_port),  // NOLINT
                &big_endian, sizeof big_endian);
}

std::string Endpoint::to_string() const {
    std::array<char, NI_MAXHOST> host{};
    if (::getnameinfo(address(), size_, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) return {};
    return family() == AF_INET6 ? fmt::format("[{}]:{}", host.data(), port())
                                : fmt::format("{}:{}", host.data(), port());
}

bool operator==(const Endpoint& a, const Endpoint& b) noexcept {
    return a.size_ == b.size_ && std::memcmp(&a.storage_, &b.storage_, a.size_) == 0;
}

FileDescriptor make_socket(const Endpoint& endpoint, std::error_code& ec) noexcept {
    FileDescriptor out(::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ec.assign(out.is_open() ? 0 : errno, std::system_category());
    return out;
}

void set_connection_options(int fd) noexcept {
    const auto set = [fd](int level, int name, int value) {
        ::setsockopt(fd, level, name, &value, sizeof value);
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

bool is_local_shortage(const std::error_code& ec) noexcept {
    if (ec.category() != std::system_category()) return false;
    switch (ec.value()) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EADDRNOTAVAIL:  // no port is free
            return true;
        default:
            return false;
    }
}

}  // namespace spillway::http
