#include "http/dialer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <list>

#include "base/loop.hpp"
#include "base/poller.hpp"

namespace spillway::http {

namespace {
/// RFC 8305 §5: Connection Attempt Delay.
constexpr Duration attempt_delay = std::chrono::milliseconds(250);
}  // namespace

/// A socket that connects, or waits for a step of TLS: wakes its Dial when something changed.
class ConnectAttempt final : private Watcher {
public:
    ConnectAttempt(Loop& loop, Dial& dial, const Endpoint& to)
        : Watcher(EventClass::work_under_way), poller_(loop.poller()), dial_(dial), to_(to) {
        socket_ = make_socket(to, error_);
        if (error_) return;
        if (::connect(socket_.get(), to.address(), to.size()) != 0 && errno != EINPROGRESS) {
            error_.assign(errno, std::system_category());
            return;
        }
        watch(socket_.get());
    }
    /// Of a connected socket that is owned elsewhere.
    ConnectAttempt(Loop& loop, Dial& dial, int fd)
        : Watcher(EventClass::work_under_way), poller_(loop.poller()), dial_(dial) {
        watch(fd);
    }
    ConnectAttempt(const ConnectAttempt&) = delete;
    ConnectAttempt& operator=(const ConnectAttempt&) = delete;
    ~ConnectAttempt() {
        if (watched_ >= 0) poller_.remove(watched_, *this);
    }

    [[nodiscard]] const std::error_code& error() const noexcept { return error_; }
    [[nodiscard]] bool connected() const noexcept { return connected_; }
    [[nodiscard]] const Endpoint& to() const noexcept { return to_; }
    [[nodiscard]] FileDescriptor release() noexcept {
        poller_.remove(watched_, *this);
        watched_ = -1;
        return std::move(socket_);
    }
    void use(Transport& transport) noexcept { transport_ = &transport; }

private:
    void watch(int fd) noexcept {
        poller_.add(fd, *this, error_);
        if (!error_) watched_ = fd;
    }
    void on_ready(Ready ready) override {
        if (transport_ != nullptr) transport_->on_ready(ready.ended);
        if (socket_.is_open() && (ready.writable || ready.ended)) {
            int value = 0;
            socklen_t size = sizeof value;
            ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &value, &size);
            error_.assign(value, std::system_category());
            connected_ = value == 0;
        }
        dial_.changed_.set_later();
    }

    Poller& poller_;
    Dial& dial_;
    Endpoint to_;
    FileDescriptor socket_;
    Transport* transport_ = nullptr;
    int watched_ = -1;
    std::error_code error_;
    bool connected_ = false;
};

Dialer::Dialer(Loop& loop, DialOptions options)
    : loop_(loop),
      options_(std::move(options)),
      addresses_(loop.tool<AddressBook>().of(options_.proxy ? options_.proxy->host : options_.host,
                                             options_.proxy ? options_.proxy->port : options_.port)) {}

std::string Dialer::where() const {
    return options_.proxy ? fmt::format("the proxy {}:{}", options_.proxy->host, options_.proxy->port)
                          : fmt::format("{}:{}", options_.host, options_.port);
}

NetError Dialer::failure(const Dial& dial, NetError::Kind kind, std::string message) const {
    if (dial.cancelled_) return {NetError::Kind::cancelled, "cancelled"};
    if (dial.late_) return {NetError::Kind::timeout, fmt::format("no connection to {} in time", where())};
    return {kind, std::move(message)};
}

NetResult<void> Dialer::prepare_tls() {
    if (tls_) return {};
    auto made = TlsContext::client(options_.tls_ca_file);
    if (!made) return NetError{NetError::Kind::tls, made.error().message};
    tls_ = std::move(*made);
    return {};
}

Task<NetResult<FileDescriptor>> Dialer::connect_any(Dial& dial) {
    Addresses::Waiter waiter(dial.changed_);
    if (addresses_->get(mono_now()).empty()) {
        addresses_->when_known(waiter);
        while (!waiter.over && !dial.cancelled_ && !dial.late_) {
            dial.changed_.reset();
            co_await dial.changed_.wait();
        }
    }
    const std::vector<Endpoint> endpoints = addresses_->get(mono_now());  // may change while waiting
    if (endpoints.empty() || dial.cancelled_ || dial.late_)
        co_return failure(dial, options_.proxy ? NetError::Kind::proxy : NetError::Kind::resolve,
                          fmt::format("cannot resolve {}: {}", options_.proxy ? where() : options_.host,
                                      addresses_->problem()));
    std::list<ConnectAttempt> attempts;
    std::error_code failed;
    std::size_t next = 0;
    bool next_is_due = true;
    const auto begin_next = [&] {
        next_is_due = true;
        dial.changed_.set_later();
    };
    Timeout delay(begin_next);
    for (;;) {
        for (auto at = attempts.begin(); at != attempts.end();) {
            if (at->error()) {
                failed = at->error();
                next_is_due = true;
                at = attempts.erase(at);
            } else if (at->connected()) {
                if (at->to() != endpoints.front()) addresses_->prefer(at->to());
                FileDescriptor socket = at->release();
                set_connection_options(socket.get());
                co_return socket;
            } else {
                ++at;
            }
        }
        if (next_is_due && next < endpoints.size()) {
            next_is_due = false;
            attempts.emplace_back(loop_, dial, endpoints[next++]);
            if (next < endpoints.size()) loop_.wheel().arm(delay, attempt_delay);
            if (attempts.back().error()) continue;
        } else if (attempts.empty()) {
            break;
        }
        dial.changed_.reset();
        co_await dial.changed_.wait();
        if (dial.cancelled_ || dial.late_) break;
    }
    if (is_local_shortage(failed))
        co_return failure(dial, NetError::Kind::local,
                          fmt::format("no socket for {}: {}", where(), failed.message()));
    addresses_->distrust();
    co_return failure(dial, options_.proxy ? NetError::Kind::proxy : NetError::Kind::connect,
                      fmt::format("cannot connect to {}: {}", where(), failed.message()));
}

NetError Dialer::refused_by_proxy(const Dial& dial, std::string_view answer) const {
    constexpr std::size_t line_most = 100;
    const std::string_view line = answer.substr(0, std::min(answer.find_first_of("\r\n"), line_most));
    std::string said;
    for (const char c : line.starts_with("HTTP/1.") ? line.substr(std::min<std::size_t>(line.size(), 9)) : "")
        said.push_back(c >= ' ' && c < 0x7f ? c : '?');
    if (said.empty()) said = "no HTTP answer";
    return failure(dial, NetError::Kind::proxy,
                   fmt::format("{} does not lead to {}:{}: {}", where(), options_.host, options_.port, said));
}

/// Nothing may be read beyond the answer's head: what follows is the peer's.
Task<NetResult<void>> Dialer::open_tunnel(Dial& dial, FileDescriptor& socket) {
    constexpr std::size_t head_most = 16 * 1024;
    const bool v6 = options_.host.find(':') != std::string::npos;
    const std::string host = v6 ? fmt::format("[{}]", options_.host) : options_.host;
    const std::string peer = fmt::format("{}:{}", host, options_.port);
    std::string request = fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n", peer, peer);
    if (!options_.proxy->authorization.empty())
        request += fmt::format("Proxy-Authorization: {}\r\n", options_.proxy->authorization);
    request += "\r\n";
    ConnectAttempt ready(loop_, dial, socket.get());
    if (ready.error()) co_return failure(dial, NetError::Kind::local, ready.error().message());
    std::string_view left = request;
    std::string answer;
    while (answer.find("\r\n\r\n") == std::string::npos) {
        ssize_t n = 0;
        char c = 0;
        if (!left.empty()) {
            n = ::send(socket.get(), left.data(), left.size(), MSG_NOSIGNAL);
            if (n > 0) left.remove_prefix(static_cast<std::size_t>(n));
        } else {
            n = ::recv(socket.get(), &c, 1, 0);
            if (n > 0) answer.push_back(c);
        }
        if (n > 0 && answer.size() < head_most) continue;
        const bool would_wait = n < 0 && (errno == EAGAIN || errno == EINTR);
        if (!would_wait) co_return refused_by_proxy(dial, answer);
        dial.changed_.reset();
        co_await dial.changed_.wait();
        if (dial.cancelled_ || dial.late_) co_return failure(dial, NetError::Kind::proxy, {});
    }
    if (!answer.starts_with("HTTP/1.") || answer.substr(8, 2) != " 2")
        co_return refused_by_proxy(dial, answer);
    co_return NetResult<void>();
}

Task<NetResult<void>> Dialer::handshake(Dial& dial, TlsTransport& transport) {
    ConnectAttempt ready(loop_, dial, transport.fd());
    ready.use(transport);
    if (ready.error()) co_return failure(dial, NetError::Kind::local, ready.error().message());
    for (;;) {
        const Transfer step = transport.handshake();
        if (step.error)
            co_return failure(
                dial, NetError::Kind::tls,
                fmt::format("TLS with {}: {}", tls_name(),
                            step.error == IoError::tls ? transport.problem() : step.error.message()));
        if (!step.would_wait) co_return NetResult<void>();
        dial.changed_.reset();
        co_await dial.changed_.wait();
        if (dial.cancelled_ || dial.late_) co_return failure(dial, NetError::Kind::tls, {});
    }
}

Task<Dialer::Connected> Dialer::connect(Dial& dial) {
    if (dial.cancelled_) co_return failure(dial, NetError::Kind::cancelled, {});
    dial.late_ = false;  // an earlier attempt may have been
    const auto too_late = [&dial] {
        dial.late_ = true;
        dial.changed_.set_later();
    };
    Timeout timeout(too_late);
    loop_.wheel().arm(timeout, options_.connect_timeout);
    auto socket = co_await connect_any(dial);
    if (!socket) co_return socket.error();
    if (!options_.tls) co_return std::make_unique<PlainTransport>(std::move(*socket));
    if (auto ready = prepare_tls(); !ready) co_return ready.error();
    if (options_.proxy) {
        const auto open = co_await open_tunnel(dial, *socket);
        if (!open) co_return open.error();
    }
    auto tls = std::make_unique<TlsTransport>(std::move(*socket), tls_,
                                              TlsPeer{tls_name(), options_.tls_verify, {}});
    const auto agreed = co_await handshake(dial, *tls);
    if (!agreed) co_return agreed.error();
    co_return std::unique_ptr<Transport>(std::move(tls));
}

}  // namespace spillway::http
