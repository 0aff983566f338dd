#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "poll.hpp"

namespace spillway::wire {
namespace {

sockaddr_in loopback(std::uint16_t port, std::uint32_t host) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(host);
    return address;
}

const sockaddr* as_generic(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);  // NOLINT: how the sockets API wants it
}

Fd tcp_socket() {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) give_up("socket");
    return fd;
}

}  // namespace

Fd listen_on(std::uint16_t port, unsigned number) {
    Fd fd = tcp_socket();
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = loopback(port, INADDR_LOOPBACK + number);
    if (::bind(fd.get(), as_generic(address), sizeof address) != 0) give_up("bind");
    if (::listen(fd.get(), 4096) != 0) give_up("listen");
    return fd;
}

Fd connect_to(std::uint16_t port, unsigned source) {
    Fd fd = tcp_socket();
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Several source addresses, so that ports do not run out.
    const auto from = loopback(0, INADDR_LOOPBACK + 1 + source % 8);
    ::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(fd.get(), as_generic(from), sizeof from) != 0) give_up("bind");
    const auto address = loopback(port, INADDR_LOOPBACK);
    if (::connect(fd.get(), as_generic(address), sizeof address) != 0 && errno != EINPROGRESS)
        give_up("connect");
    return fd;
}

}  // namespace spillway::wire
