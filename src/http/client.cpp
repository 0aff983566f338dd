#include "http/client.hpp"

#include <fmt/format.h>

#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <stdexcept>

#include "http/addresses.hpp"
#include "http/client_connection.hpp"

namespace spillway::http {

namespace {
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
using Connected = NetResult<std::shared_ptr<ClientConnection>>;
}  // namespace

void throw_exception_from_error(const NetError& e, const boost::source_location&) {
    throw std::runtime_error(e.message);
}

struct OriginState final : Pool, std::enable_shared_from_this<OriginState> {
    OriginState(asio::io_context& c, OriginOptions o)
        : context(c),
          options(std::move(o)),
          addresses(std::make_shared<Addresses>(c, options.host, options.port)) {}

    asio::awaitable<Connected> open(ConnectCancel* cancel);
    asio::awaitable<NetResult<void>> connect_any(ClientConnection& connection, Mono deadline);
    asio::awaitable<NetResult<void>> handshake(ClientConnection& connection);
    NetResult<void> prepare_tls();
    void put_back(const std::shared_ptr<ClientConnection>& connection);
    void lost(ClientConnection& connection) noexcept override;

    asio::io_context& context;
    OriginOptions options;
    std::shared_ptr<Addresses> addresses;
    std::optional<asio::ssl::context> tls;
    std::vector<std::shared_ptr<ClientConnection>> idle;  // the one used last at the back
};

NetResult<void> OriginState::prepare_tls() {
    if (tls) return {};
    auto& made = tls.emplace(asio::ssl::context::tls_client);
    boost::system::error_code ec;
    made.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1,
                     ec);
    if (options.tls_ca_file.empty())
        made.set_default_verify_paths(ec);
    else
        made.load_verify_file(options.tls_ca_file, ec);
    if (ec) {
        tls.reset();
        return NetError{NetError::Kind::tls,
                        fmt::format("cannot load certificates {}: {}", options.tls_ca_file, ec.message())};
    }
    return {};
}

asio::awaitable<NetResult<void>> OriginState::handshake(ClientConnection& connection) {
    if (auto ready = prepare_tls(); !ready) co_return ready.error();
    const std::string& name = options.tls_server_name.empty() ? options.host : options.tls_server_name;
    auto& stream = connection.stream().wrap(*tls);
    boost::system::error_code ec;
    asio::ip::make_address(name, ec);
    // No SNI for addresses: RFC 6066 §3.
    if (ec) SSL_set_tlsext_host_name(stream.native_handle(), name.c_str());
    if (options.tls_verify) {
        stream.set_verify_mode(asio::ssl::verify_peer, ec);
        stream.set_verify_callback(asio::ssl::host_name_verification(name), ec);
    }
    const auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_values);
    if (failed)
        co_return connection.failure(NetError::Kind::tls,
                                     fmt::format("TLS with {}: {}", name, failed.message()));
    co_return NetResult<void>();
}

/// Tries the addresses in turn, each with its share of the time left.
asio::awaitable<NetResult<void>> OriginState::connect_any(ClientConnection& connection, Mono deadline) {
    const auto endpoints = addresses->get(mono_now());  // a copy: they may be looked up anew meanwhile
    auto& socket = connection.stream().socket();
    boost::system::error_code failed = asio::error::host_not_found;
    for (std::size_t i = 0; i < endpoints.size() && !connection.stopped(); ++i) {
        boost::system::error_code ignored;
        socket.close(ignored);
        bool late = false;
        const auto give_up = [&late, &socket] {
            boost::system::error_code unused;
            late = true;
            socket.close(unused);
        };
        Timeout share(give_up);
        const std::size_t others = endpoints.size() - i;
        if (others > 1 && options.connect_timeout > Duration::zero())
            TimerWheel::of(context).arm(share, (deadline - mono_now()) / others);
        std::tie(failed) = co_await socket.async_connect(endpoints[i], as_values);
        if (late) failed = asio::error::timed_out;
        if (failed) continue;
        socket.set_option(tcp::no_delay(true), ignored);
        if (i > 0) addresses->prefer(endpoints[i]);
        co_return NetResult<void>();
    }
    addresses->distrust();
    co_return connection.failure(
        NetError::Kind::connect,
        fmt::format("cannot connect to {}:{}: {}", options.host, options.port, failed.message()));
}

asio::awaitable<Connected> OriginState::open(ConnectCancel* cancel) {
    const auto self = shared_from_this();
    const auto connection = std::make_shared<ClientConnection>(context, self, options.max_head_bytes);
    if (cancel != nullptr) cancel->connection_ = connection;
    Addresses::Waiter waiter;
    connection->begin_connect(options.connect_timeout, waiter.done);
    const Mono deadline = mono_now() + options.connect_timeout;
    if (addresses->get(mono_now()).empty()) {
        addresses->when_known(waiter);
        while (!waiter.done.is_set()) co_await waiter.done.wait();
    }
    NetResult<void> made;
    if (connection->stopped() || addresses->get(mono_now()).empty())
        made = connection->failure(NetError::Kind::resolve, fmt::format("cannot resolve {}: {}", options.host,
                                                                        addresses->error().message()));
    else
        made = co_await connect_any(*connection, deadline);
    if (made && options.tls) {
        made = co_await handshake(*connection);
    } else if (made) {
        boost::system::error_code ec;
        connection->stream().use_plain(ec);
        if (ec) made = connection->failure(NetError::Kind::connect, ec.message());
    }
    connection->finish_connect();
    if (cancel != nullptr) cancel->connection_.reset();
    if (made && connection->stopped()) made = connection->failure(NetError::Kind::connect, {});
    if (!made) {
        connection->close();
        if (made.error().kind == NetError::Kind::timeout)
            co_return NetError{NetError::Kind::timeout,
                               fmt::format("no connection to {}:{} in time", options.host, options.port)};
        co_return made.error();
    }
    co_return connection;
}

void OriginState::put_back(const std::shared_ptr<ClientConnection>& connection) {
    if (idle.size() >= options.max_idle || !connection->reusable()) {
        connection->close();
        return;
    }
    idle.push_back(connection);
    connection->park(options.idle_timeout);
}

void OriginState::lost(ClientConnection& connection) noexcept {
    connection.close();
    std::erase_if(idle, [&](const auto& c) { return c.get() == &connection; });
}

Origin::Origin(asio::io_context& context, OriginOptions options)
    : state_(std::make_shared<OriginState>(context, std::move(options))) {}
Origin::~Origin() {
    if (!state_) return;
    for (const auto& connection : state_->idle) connection->close();
    state_->idle.clear();
    state_->options.max_idle = 0;  // what is still out closes when it is done
}

void Origin::prefetch() const noexcept {
    if (!state_->idle.empty()) state_->idle.back()->prefetch();
}

std::optional<Upstream> Origin::pooled() {
    auto& idle = state_->idle;
    if (idle.empty()) return std::nullopt;
    auto connection = std::move(idle.back());
    idle.pop_back();
    connection->unpark();
    return Upstream(std::move(connection), state_);
}

asio::awaitable<NetResult<Upstream>> Origin::connect(bool fresh) {
    return connect(fresh, nullptr);
}
asio::awaitable<NetResult<Upstream>> Origin::connect(bool fresh, ConnectCancel& cancel) {
    return connect(fresh, &cancel);
}
asio::awaitable<NetResult<Upstream>> Origin::connect(bool fresh, ConnectCancel* cancel) {
    const auto state = state_;
    if (cancel != nullptr && cancel->cancelled()) co_return NetError{NetError::Kind::cancelled, "cancelled"};
    if (!fresh) {
        auto known = pooled();
        if (known) co_return std::move(*known);
    }
    auto opened = co_await state->open(cancel);
    if (!opened) co_return opened.error();
    co_return Upstream(std::move(*opened), state);
}
std::size_t Origin::idle() const noexcept {
    return state_->idle.size();
}
const OriginOptions& Origin::options() const noexcept {
    return state_->options;
}
asio::io_context& Origin::context() const noexcept {
    return state_->context;
}

void ConnectCancel::cancel() noexcept {
    cancelled_ = true;
    if (const auto connection = connection_.lock()) connection->cancel();
}

Upstream::Upstream(std::shared_ptr<ClientConnection> connection, std::weak_ptr<OriginState> origin)
    : connection_(std::move(connection)), origin_(std::move(origin)) {}
Upstream::Upstream(Upstream&&) noexcept = default;
Upstream& Upstream::operator=(Upstream&& other) noexcept {
    if (this != &other) {
        if (connection_) connection_->close();
        connection_ = std::move(other.connection_);
        origin_ = std::move(other.origin_);
    }
    return *this;
}
Upstream::~Upstream() {
    if (connection_) connection_->close();
}

bool Upstream::reused() const noexcept {
    return connection_->reused();
}
asio::awaitable<NetResult<void>> Upstream::send(std::span<const std::string_view> pieces, Duration timeout) {
    return connection_->send(pieces, timeout);
}
bool Upstream::send_now(std::span<std::string_view> pieces) {
    return connection_->send_now(pieces);
}
asio::awaitable<NetResult<const ResponseHead*>> Upstream::read_head(Duration timeout, bool head_request) {
    return connection_->read_head(timeout, head_request);
}
asio::awaitable<NetResult<std::string_view>> Upstream::read_body(Duration timeout) {
    return connection_->read_body(timeout);
}
asio::awaitable<NetResult<bool>> Upstream::pour(BodySink& sink, Duration timeout) {
    return connection_->pour(sink, timeout);
}
std::optional<std::string_view> Upstream::body_now() {
    return connection_->body_now();
}
void Upstream::done() {
    const auto connection = std::move(connection_);
    if (!connection) return;
    if (const auto origin = origin_.lock())
        origin->put_back(connection);
    else
        connection->close();
}
void Upstream::cancel() {
    if (connection_) connection_->cancel();
}

}  // namespace spillway::http
