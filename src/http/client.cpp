#include "http/client.hpp"

#include <fmt/format.h>

#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <stdexcept>

#include "http/client_connection.hpp"

namespace spillway::http {

namespace {
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr Duration name_lifetime = std::chrono::seconds(30);
}  // namespace

void throw_exception_from_error(const NetError& e, const boost::source_location&) {
    throw std::runtime_error(e.message);
}

struct OriginState : std::enable_shared_from_this<OriginState> {
    OriginState(asio::io_context& c, OriginOptions o) : context(c), options(std::move(o)) {}

    asio::awaitable<NetResult<void>> resolve(tcp::resolver& resolver);
    asio::awaitable<NetResult<std::shared_ptr<ClientConnection>>> open();
    asio::awaitable<NetResult<void>> handshake(ClientConnection& connection);
    NetResult<void> prepare_tls();
    void put_back(const std::shared_ptr<ClientConnection>& connection);

    asio::io_context& context;
    OriginOptions options;
    std::optional<asio::ssl::context> tls;
    std::vector<tcp::endpoint> addresses;
    Mono addresses_until{};
    std::vector<std::shared_ptr<ClientConnection>> idle;  // the one used last at the back
};

asio::awaitable<NetResult<void>> OriginState::resolve(tcp::resolver& resolver) {
    boost::system::error_code ec;
    if (const auto address = asio::ip::make_address(options.host, ec); !ec) {
        addresses.assign(1, tcp::endpoint(address, options.port));
        addresses_until = Mono::max();
        co_return NetResult<void>();
    }
    auto [failed, found] =
        co_await resolver.async_resolve(options.host, std::to_string(options.port), as_values);
    if (failed || found.empty()) {
        if (!addresses.empty())
            co_return NetResult<void>();  // a name server's hiccup: the last answer will do
        co_return NetError{NetError::Kind::resolve,
                           fmt::format("cannot resolve {}: {}", options.host, failed.message())};
    }
    addresses.clear();
    for (const auto& entry : found) addresses.push_back(entry.endpoint());
    addresses_until = mono_now() + name_lifetime;
    co_return NetResult<void>();
}

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
    if (ec)
        SSL_set_tlsext_host_name(stream.native_handle(), name.c_str());  // no SNI for addresses: RFC 6066 §3
    if (options.tls_verify) {
        stream.set_verify_mode(asio::ssl::verify_peer, ec);
        stream.set_verify_callback(asio::ssl::host_name_verification(name), ec);
    }
    const auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_values);
    if (failed)
        co_return NetError{NetError::Kind::tls, fmt::format("TLS with {}: {}", name, failed.message())};
    co_return NetResult<void>();
}

asio::awaitable<NetResult<std::shared_ptr<ClientConnection>>> OriginState::open() {
    const auto self = shared_from_this();
    auto connection = std::make_shared<ClientConnection>(context, options.max_head_bytes);
    tcp::resolver resolver(context);
    bool timed_out = false;
    Timeout timeout([&] {
        timed_out = true;
        resolver.cancel();
        connection->close();
    });
    TimerWheel::of(context).arm(timeout, options.connect_timeout);
    const NetError late{NetError::Kind::timeout,
                        fmt::format("no connection to {}:{} in time", options.host, options.port)};
    if (mono_now() >= addresses_until) {
        if (const auto resolved = co_await resolve(resolver); !resolved)
            co_return timed_out ? late : resolved.error();
    }
    const auto endpoints = addresses;  // a copy: another coroutine may resolve anew meanwhile
    boost::system::error_code failed = asio::error::host_not_found;
    for (const auto& endpoint : endpoints) {
        if (timed_out) co_return late;
        auto& socket = connection->stream().socket();
        boost::system::error_code ignored;
        socket.close(ignored);
        const auto [ec] = co_await socket.async_connect(endpoint, as_values);
        failed = ec;
        if (!failed) {
            socket.set_option(tcp::no_delay(true), ignored);
            break;
        }
    }
    if (timed_out) co_return late;
    if (failed) {
        addresses_until = {};  // the name may point elsewhere by now
        co_return NetError{NetError::Kind::connect, fmt::format("cannot connect to {}:{}: {}", options.host,
                                                                options.port, failed.message())};
    }
    if (options.tls) {
        if (const auto done = co_await handshake(*connection); !done)
            co_return timed_out ? late : done.error();
        if (timed_out) co_return late;
    }
    co_return connection;
}

void OriginState::put_back(const std::shared_ptr<ClientConnection>& connection) {
    if (idle.size() >= options.max_idle || !connection->reusable()) {
        connection->close();
        return;
    }
    idle.push_back(connection);
    connection->park(options.idle_timeout, [weak = weak_from_this(), raw = connection.get()] {
        const auto state = weak.lock();
        if (!state) return;
        const auto at = std::find_if(state->idle.begin(), state->idle.end(),
                                     [raw](const auto& c) { return c.get() == raw; });
        if (at == state->idle.end()) return;
        const auto keep = *at;
        state->idle.erase(at);
        keep->close();
    });
}

Origin::Origin(asio::io_context& context, OriginOptions options)
    : state_(std::make_shared<OriginState>(context, std::move(options))) {}
Origin::~Origin() {
    for (const auto& connection : state_->idle) connection->close();
    state_->idle.clear();
    state_->options.max_idle = 0;  // what is still out closes when it is done
}

asio::awaitable<NetResult<Upstream>> Origin::connect(bool fresh) {
    const auto state = state_;
    if (!fresh && !state->idle.empty()) {
        auto connection = std::move(state->idle.back());
        state->idle.pop_back();
        connection->unpark();
        co_return Upstream(std::move(connection), state);
    }
    auto opened = co_await state->open();
    if (!opened) co_return opened.error();
    co_return Upstream(std::move(*opened), state);
}
std::size_t Origin::idle() const noexcept {
    return state_->idle.size();
}
const OriginOptions& Origin::options() const noexcept {
    return state_->options;
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
asio::awaitable<NetResult<const ResponseHead*>> Upstream::read_head(Duration timeout, bool head_request) {
    return connection_->read_head(timeout, head_request);
}
asio::awaitable<NetResult<std::string_view>> Upstream::read_body(Duration timeout) {
    return connection_->read_body(timeout);
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
