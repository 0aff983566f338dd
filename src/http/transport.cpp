#include "http/transport.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace spillway::http {

namespace {
/// Up to here the kernel takes one piece sooner than several, by more than it costs to join them.
constexpr std::size_t most_joined = 4096;

ssize_t send_joined(int fd, Buffers buffers) noexcept {
    std::array<char, most_joined> joined;  // NOLINT(*-member-init): as much as is sent is written below
    std::size_t size = 0;
    for (const std::string_view buffer : buffers) {
        std::memcpy(joined.data() + size, buffer.data(), buffer.size());
        size += buffer.size();
    }
    return ::send(fd, joined.data(), size, MSG_NOSIGNAL);
}

ssize_t send_gathered(int fd, Buffers buffers) noexcept {
    std::array<iovec, 16> parts;  // NOLINT(*-member-init): as many as are used are set below
    const std::size_t count = std::min(buffers.size(), parts.size());
    for (std::size_t i = 0; i < count; ++i)
        parts[i] = {const_cast<char*>(buffers[i].data()), buffers[i].size()};  // NOLINT(*-const-cast): C's
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

ssize_t send_some(int fd, Buffers buffers) noexcept {
    if (buffers.size() == 1) return ::send(fd, buffers.front().data(), buffers.front().size(), MSG_NOSIGNAL);
    std::size_t size = 0;
    for (const std::string_view buffer : buffers) size += buffer.size();
    return size <= most_joined ? send_joined(fd, buffers) : send_gathered(fd, buffers);
}
}  // namespace

Transfer failed_transfer() noexcept {
    Transfer out;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        out.would_wait = true;
    else
        out.error.assign(errno, std::system_category());
    return out;
}

void Transport::shut(bool reset) noexcept {
    if (reset) {
        const linger at_once{1, 0};
        ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    } else {
        ::shutdown(fd(), SHUT_RDWR);
    }
}

Transfer PlainTransport::read(std::span<char> space) {
    return read_socket(fd(), space);
}

Transfer read_socket(int fd, std::span<char> space) noexcept {
    ssize_t n = 0;
    do n = ::recv(fd, space.data(), space.size(), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0) return failed_transfer();
    Transfer out;
    out.n = static_cast<std::size_t>(n);
    if (n == 0) out.error = IoError::eof;
    // Less than there was room for: that was all (epoll(7)).
    out.more = out.n == space.size();
    return out;
}

Transfer PlainTransport::write(Buffers buffers) {
    ssize_t n = 0;
    do n = send_some(fd(), buffers);
    while (n < 0 && errno == EINTR);
    if (n < 0) return failed_transfer();
    Transfer out;
    out.n = static_cast<std::size_t>(n);
    return out;
}

bool PlainTransport::has_input() const noexcept {
    char one = 0;
    return ::recv(fd(), &one, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void PlainTransport::end_writing() noexcept {
    ::shutdown(fd(), SHUT_WR);
}

}  // namespace spillway::http
