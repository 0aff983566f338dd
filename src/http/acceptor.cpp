#include "http/acceptor.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>

#include "http/io_error.hpp"

namespace spillway::http {

namespace {
std::optional<Endpoint> endpoint_of(const Listen& where) {
    return Endpoint::parse(where.host == "localhost" ? "127.0.0.1" : where.host, where.port);
}

/// Binds and listens; `ec` says why not.
FileDescriptor bound(const Endpoint& endpoint, bool reuse_port, int backlog, std::error_code& ec) noexcept {
    FileDescriptor socket = make_socket(endpoint, ec);
    if (ec) return socket;
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // old connections do not matter
    if (reuse_port) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (::bind(socket.get(), endpoint.address(), endpoint.size()) != 0 ||
        ::listen(socket.get(), backlog) != 0)
        ec.assign(errno, std::system_category());
    return socket;
}
/// Keeps errno.
bool somebody_waits(int listener) noexcept {
    const int error = errno;
    pollfd look{listener, POLLIN, 0};
    const bool waits = ::poll(&look, 1, 0) != 0;
    errno = error;
    return waits;
}
}  // namespace

std::error_code probe(const Listen& where) {
    const auto endpoint = endpoint_of(where);
    if (!endpoint) return std::make_error_code(std::errc::invalid_argument);
    std::error_code ec;
    if (where.port != 0) (void)bound(*endpoint, false, 1, ec);
    return ec;
}

Result<void> Acceptor::listen(const Listen& where, int backlog) {
    const auto failed = [&](std::string_view why) {
        return fail(fmt::format("cannot listen on {}:{}: {}", where.host, where.port, why));
    };
    const auto endpoint = endpoint_of(where);
    if (!endpoint) return failed("that is no address of this machine");
    std::error_code ec;
    FileDescriptor socket = bound(*endpoint, where.reuse_port, backlog, ec);
    if (ec) return failed(ec.message());
    socket_ = std::move(socket);
    Endpoint own;
    socklen_t size = Endpoint::capacity();
    if (::getsockname(socket_.get(), own.address(), &size) == 0) own.resize(size);
    port_ = own.port();
    ready_.emplace(loop_, socket_.get(), News::new_work);
    if (ready_->error()) {
        const auto error = failed(ready_->error().message());
        close();
        return error;
    }
    return {};
}

Task<Acceptor::Accepted> Acceptor::accept() {
    Accepted out;
    for (;;) {
        if (!is_open()) {
            out.ec = IoError::cancelled;
            co_return out;
        }
        socklen_t size = Endpoint::capacity();
        out.socket =
            FileDescriptor(::accept4(socket_.get(), out.peer.address(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (out.socket.is_open()) {
            out.peer.resize(size);
            co_return out;
        }
        if (errno == EINTR || errno == ECONNABORTED) continue;
        // Linux looks for a descriptor first: it may lack one that nobody needs.
        if (errno != EAGAIN && errno != EWOULDBLOCK && somebody_waits(socket_.get())) {
            out.ec.assign(errno, std::system_category());
            co_return out;
        }
        co_await ready_->wait();
    }
}

void Acceptor::close() noexcept {
    if (!is_open()) return;
    if (ready_) ready_->wake();
    ready_.reset();
    socket_.reset();
}

}  // namespace spillway::http
