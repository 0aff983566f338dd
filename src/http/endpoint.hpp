#pragma once
/// A socket address, and sockets made from it. Thread rule: plain values. Errors: std::error_code or nullopt.
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "base/file_descriptor.hpp"

namespace spillway::http {

class Endpoint {
public:
    Endpoint() = default;
    Endpoint(const sockaddr* address, socklen_t size) noexcept;
    /// From an address, not a name; IPv6 with or without a zone.
    [[nodiscard]] static std::optional<Endpoint> parse(const std::string& address, std::uint16_t port);

    [[nodiscard]] const sockaddr* address() const noexcept;
    [[nodiscard]] sockaddr* address() noexcept;
    [[nodiscard]] socklen_t size() const noexcept { return size_; }
    void resize(socklen_t size) noexcept { size_ = size; }
    [[nodiscard]] static constexpr socklen_t capacity() noexcept { return sizeof(sockaddr_storage); }
    [[nodiscard]] int family() const noexcept { return storage_.ss_family; }
    [[nodiscard]] std::uint16_t port() const noexcept;
    void set_port(std::uint16_t port) noexcept;
    /// "1.2.3.4:567", "[2001:db8::1]:567".
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const Endpoint& a, const Endpoint& b) noexcept;

private:
    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

/// A non-blocking TCP socket; if it is closed, `ec` says why.
[[nodiscard]] FileDescriptor make_socket(const Endpoint& endpoint, std::error_code& ec) noexcept;
/// Sets TCP_NODELAY and keep-alive probes (after a minute of silence, then four at 15 s).
void set_connection_options(int fd) noexcept;
/// Whether this process or machine is out of a resource, such as descriptors or ports.
[[nodiscard]] bool is_local_shortage(const std::error_code& ec) noexcept;

}  // namespace spillway::http
