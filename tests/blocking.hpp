#pragma once
// Sockets on loopback that wait, for tests that stand outside an event loop.
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file_descriptor.hpp"
#include "http/endpoint.hpp"

namespace spillway::test {

class BlockingSocket {
public:
    explicit BlockingSocket(FileDescriptor fd) : fd_(std::move(fd)) {}
    explicit BlockingSocket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const auto to = *http::Endpoint::parse("127.0.0.1", port);
        if (::connect(fd_.get(), to.address(), to.size()) != 0) fd_.reset();
    }
    [[nodiscard]] bool is_open() const { return fd_.is_open(); }
    bool write(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    /// Some bytes; none: the end.
    [[nodiscard]] std::string read_some() const {
        std::array<char, 4096> piece{};
        const ssize_t n = ::recv(fd_.get(), piece.data(), piece.size(), 0);
        return {piece.data(), static_cast<std::size_t>(n > 0 ? n : 0)};
    }
    [[nodiscard]] std::string read_all() const {
        std::string all;
        for (std::string piece = read_some(); !piece.empty(); piece = read_some()) all += piece;
        return all;
    }

private:
    FileDescriptor fd_;
};

class BlockingListener {
public:
    BlockingListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        auto own = *http::Endpoint::parse("127.0.0.1", 0);
        socklen_t size = http::Endpoint::capacity();
        const int on = 1;
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (::bind(fd_.get(), own.address(), own.size()) != 0 || ::listen(fd_.get(), 16) != 0) return;
        if (::getsockname(fd_.get(), own.address(), &size) == 0) port_ = own.port();
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] BlockingSocket accept() const {
        return BlockingSocket(FileDescriptor(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    }
    void close() { fd_.reset(); }

private:
    FileDescriptor fd_;
    std::uint16_t port_ = 0;
};

inline std::uint16_t free_port() {
    return BlockingListener().port();
}

}  // namespace spillway::test
