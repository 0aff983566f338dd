#include "http/stream.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

namespace spillway::http {

namespace {
/// One connection's turn: others want theirs, too.
constexpr unsigned most_in_turn = 16;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

boost::system::error_code last_error() noexcept {
    return {errno, boost::system::system_category()};
}
bool would_wait() noexcept {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

/// Up to here the kernel takes one piece sooner than several, by more than it costs to join them.
constexpr std::size_t most_joined = 4096;

ssize_t send_joined(int fd, Stream::Buffers buffers) noexcept {
    std::array<char, most_joined> joined;  // NOLINT(*-member-init): as much as is sent is written below
    std::size_t size = 0;
    for (const auto& buffer : buffers) {
        std::memcpy(joined.data() + size, buffer.data(), buffer.size());
        size += buffer.size();
    }
    return ::send(fd, joined.data(), size, MSG_NOSIGNAL);
}

ssize_t send_gathered(int fd, Stream::Buffers buffers) noexcept {
    std::array<iovec, 16> parts;  // NOLINT(*-member-init): as many as are used are set below
    const std::size_t count = std::min(buffers.size(), parts.size());
    for (std::size_t i = 0; i < count; ++i)
        parts[i] = {const_cast<void*>(buffers[i].data()), buffers[i].size()};  // NOLINT(*-const-cast): C's
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

ssize_t send_some(int fd, Stream::Buffers buffers) noexcept {
    if (buffers.size() == 1) return ::send(fd, buffers.front().data(), buffers.front().size(), MSG_NOSIGNAL);
    std::size_t size = 0;
    for (const auto& buffer : buffers) size += buffer.size();
    return size <= most_joined ? send_joined(fd, buffers) : send_gathered(fd, buffers);
}
}  // namespace

Stream::Stream(Socket socket, asio::io_context& context, StreamUser& user, News news)
    : Watch(news), user_(user), poller_(Poller::of(context)), expected_(news), asio_(std::move(socket)) {}

Stream::~Stream() {
    if (fd_ < 0) return;
    poller_.remove(fd_, *this);
    ::close(fd_);
}

void Stream::use_plain(boost::system::error_code& ec) {
    asio_->socket().native_non_blocking(true, ec);
    if (ec) return;
    fd_ = asio_->socket().release(ec);
    if (ec) return;
    asio_.reset();
    poller_.add(fd_, *this, ec);
    if (!ec) return;
    ::close(fd_);
    fd_ = -1;
}

void Stream::start_read() {
    if (reading_) return;
    reading_ = true;
    if (fd_ >= 0) {
        if (!readable_) return;
        if (++in_turn_ < most_in_turn)
            read();
        else
            poller_.soon(*this);
    } else if (asio_) {
        const auto space = user_.read_space();
        asio_->async_read_some(asio::buffer(space.data(), space.size()),
                               Completion<Stream, &Stream::did_asio_read>({user_.self(), this}));
    } else {
        poller_.soon(*this);
    }
}

bool Stream::has_input() const noexcept {
    char one = 0;
    return fd_ >= 0 && ::recv(fd_, &one, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Stream::expect(News news) noexcept {
    expected_ = news;
    choose_turn();
}

void Stream::did_asio_read(const boost::system::error_code& ec, std::size_t n) {
    reading_ = false;
    user_.did_read(ec, n);
}

void Stream::read() {
    const auto space = user_.read_space();
    ssize_t n = 0;
    do n = ::recv(fd_, space.data(), space.size(), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0 && would_wait()) {
        readable_ = false;
        user_.unread();
        return;
    }
    reading_ = false;
    if (n > 0) {
        // Less than there was room for: that was all (epoll(7)), unless an end is behind it.
        if (static_cast<std::size_t>(n) < space.size() && !ended_) readable_ = false;
        user_.did_read({}, static_cast<std::size_t>(n));
        return;
    }
    user_.did_read(n == 0 ? asio::error::make_error_code(asio::error::eof) : last_error(), 0);
}

void Stream::on_ready(Ready ready) {
    full_ = full_ && !ready.writable;
    if (writing_ && ready.writable) writable_.set_later();
    in_turn_ = 0;
    readable_ = readable_ || ready.readable;
    ended_ = ended_ || ready.ended;
    if (reading_ && readable_ && !cancelled_) read();
}

void Stream::on_turn() {
    in_turn_ = 0;
    if (fd_ < 0 && writing_) writable_.set_later();
    const bool ends = fd_ < 0 || std::exchange(cancelled_, false);
    if (!reading_) return;
    if (ends) {
        reading_ = false;
        user_.did_read(asio::error::operation_aborted, 0);
    } else if (readable_) {
        read();
    }
}

void Stream::abandon() {
    if (writing_)
        writable_.abandon();
    else
        user_.abandon();
}

void Stream::cancel_read() {
    if (asio_) {
        boost::system::error_code ignored;
        asio_->socket().cancel(ignored);
    } else if (reading_) {
        cancelled_ = true;
        poller_.soon(*this);
    }
}

std::size_t Stream::write_now(Buffers buffers, boost::system::error_code& ec) {
    ec = {};
    if (full_ || buffers.empty() || (fd_ < 0 && asio_)) return 0;
    ssize_t n = 0;
    do n = send_some(fd_, buffers);
    while (n < 0 && errno == EINTR);
    if (n >= 0) return static_cast<std::size_t>(n);
    full_ = would_wait();
    if (!full_) ec = last_error();
    return 0;
}

asio::awaitable<Stream::Written> Stream::write(Buffers rest, std::function<void()> progress) {
    Written done;
    if (asio_) {
        std::tie(done.ec, done.n) = co_await asio_->async_write(rest, std::move(progress), as_values);
        co_return done;
    }
    for (;;) {
        const std::size_t n = write_now(rest, done.ec);
        if (done.ec) co_return done;
        done.n += n;
        if (n > 0) progress();
        rest = behind(rest, n);
        if (rest.empty()) co_return done;
        if (n > 0) continue;  // there may be room for what did not fit in one call
        writable_.reset();
        writing_ = true;
        choose_turn();
        while (!writable_.is_set()) co_await writable_.wait();
        writing_ = false;
        choose_turn();
    }
}

void Stream::end_writing() noexcept {
    boost::system::error_code ignored;
    if (fd_ >= 0)
        ::shutdown(fd_, SHUT_WR);
    else if (asio_)
        asio_->socket().shutdown(tcp::socket::shutdown_send, ignored);
}

/// Lets go of a plain socket.
void Stream::drop() noexcept {
    poller_.remove(fd_, *this);
    ::close(fd_);
    fd_ = -1;
    full_ = false;  // a write under way fails at once
    if (reading_ || writing_) poller_.soon(*this);
}

void Stream::close() noexcept {
    if (fd_ >= 0) {
        ::shutdown(fd_, SHUT_RDWR);
        drop();
    } else if (asio_) {
        asio_->close();
    }
}

void Stream::reset() noexcept {
    if (fd_ >= 0) {
        const linger at_once{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        drop();
    } else if (asio_) {
        asio_->reset();
    }
}

}  // namespace spillway::http
