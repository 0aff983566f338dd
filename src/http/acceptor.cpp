#include "http/acceptor.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "http/io_error.hpp"

namespace spillway::http {

namespace {
std::optional<Endpoint> endpoint_of(const Listen& where) {
    return Endpoint::parse(where.host == "localhost" ? "127.0.0.1" : where.host, where.port);
}

enum class Sharing : std::uint8_t { alone, joins };

void let_others_in(const FileDescriptor& socket) noexcept {
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

/// Binds and listens; `ec` says why not.
FileDescriptor bound(const Endpoint& endpoint, Sharing sharing, int backlog, std::error_code& ec) noexcept {
    FileDescriptor socket = make_socket(endpoint, ec);
    if (ec) return socket;
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // old connections do not matter
    if (sharing == Sharing::joins) let_others_in(socket);
    if (::bind(socket.get(), endpoint.address(), endpoint.size()) != 0 ||
        ::listen(socket.get(), backlog) != 0)
        ec.assign(errno, std::system_category());
    return socket;
}

/// One that starts, too, may only be looking whether the port is free: it is tried once more.
FileDescriptor bound_alone(const Endpoint& endpoint, int backlog, std::error_code& ec) noexcept {
    constexpr std::chrono::milliseconds pause{100};
    FileDescriptor socket = bound(endpoint, Sharing::alone, backlog, ec);
    if (ec != std::errc::address_in_use) return socket;
    std::this_thread::sleep_for(pause);
    ec.clear();
    return bound(endpoint, Sharing::alone, backlog, ec);
}

/// Keeps errno.
bool somebody_waits(int listener) noexcept {
    const int error = errno;
    pollfd look{listener, POLLIN, 0};
    const bool waits = ::poll(&look, 1, 0) != 0;
    errno = error;
    return waits;
}

Error failure(const Listen& where, std::string_view why) {
    return fail(fmt::format("cannot listen on {}:{}: {}", where.host, where.port, why));
}
constexpr std::string_view no_address = "that is no address of this machine";
}  // namespace

std::error_code probe(const Listen& where) {
    const auto endpoint = endpoint_of(where);
    if (!endpoint) return std::make_error_code(std::errc::invalid_argument);
    std::error_code ec;
    if (where.port != 0) (void)bound(*endpoint, Sharing::alone, 1, ec);
    return ec;
}

Result<std::vector<FileDescriptor>> open_listeners(const Listen& where, std::size_t count) {
    auto endpoint = endpoint_of(where);
    if (!endpoint) return failure(where, no_address);
    std::vector<FileDescriptor> out;
    while (out.size() < count) {
        std::error_code ec;
        FileDescriptor socket = out.empty() ? bound_alone(*endpoint, Acceptor::default_backlog, ec)
                                            : bound(*endpoint, Sharing::joins, Acceptor::default_backlog, ec);
        if (ec) return failure(where, ec.message());
        if (out.empty()) {
            let_others_in(socket);
            if (const auto own = listens_at(socket.get())) endpoint = own;
        }
        out.push_back(std::move(socket));
    }
    return out;
}

std::optional<Endpoint> listens_at(int socket) noexcept {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
        return std::nullopt;
    Endpoint own;
    size = Endpoint::capacity();
    if (::getsockname(socket, own.address(), &size) != 0) return std::nullopt;
    own.resize(size);
    if (own.port() == 0) return std::nullopt;
    return own;
}

Result<void> Acceptor::listen(const Listen& where, int backlog) {
    const auto endpoint = endpoint_of(where);
    if (!endpoint) return failure(where, no_address);
    std::error_code ec;
    FileDescriptor socket = bound_alone(*endpoint, backlog, ec);
    if (ec) return failure(where, ec.message());
    return listen(std::move(socket));
}

Result<void> Acceptor::listen(FileDescriptor socket) {
    const auto own = listens_at(socket.get());
    if (!own) return fail("cannot listen on a socket that does not");
    socket_ = std::move(socket);
    port_ = own->port();
    ready_.emplace(loop_, socket_.get(), EventClass::new_work);
    if (!ready_->error()) return {};
    const std::string why = ready_->error().message();
    close();
    return fail(fmt::format("cannot listen on {}: {}", own->to_string(), why));
}

Acceptor::Accepted Acceptor::accept_now() noexcept {
    Accepted out;
    do {
        socklen_t size = Endpoint::capacity();
        out.socket =
            FileDescriptor(::accept4(socket_.get(), out.peer.address(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (out.socket.is_open()) {
            out.peer.resize(size);
            return out;
        }
    } while (errno == EINTR || errno == ECONNABORTED);
    // Linux allocates a descriptor first: it may lack one that is not needed.
    const bool would_block = errno == EAGAIN || errno == EWOULDBLOCK || !somebody_waits(socket_.get());
    out.ec.assign(would_block ? EAGAIN : errno, std::system_category());
    return out;
}

Task<Acceptor::Accepted> Acceptor::accept() {
    for (;;) {
        Accepted out;
        out.ec = IoError::cancelled;
        if (is_open()) out = accept_now();
        if (out.ec != std::errc::resource_unavailable_try_again) co_return out;
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
