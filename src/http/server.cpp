#include "http/server.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_set>

#include "http/http2_connection.hpp"
#include "http/server_connection.hpp"

namespace spillway::http {

namespace {
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

std::string peer_text(const tcp::endpoint& e) {
    return e.address().is_v6() ? fmt::format("[{}]:{}", e.address().to_string(), e.port())
                               : fmt::format("{}:{}", e.address().to_string(), e.port());
}

tcp::endpoint endpoint_of(const Listen& where, boost::system::error_code& ec) {
    return {asio::ip::make_address(where.host == "localhost" ? "127.0.0.1" : where.host, ec), where.port};
}
}  // namespace

struct Server::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& c, ServerLimits l, Handler h) : context(c), acceptor(c.get_executor()) {
        shared->limits = l;
        shared->handler = std::move(h);
    }

    asio::awaitable<void> accept() {
        const auto self = shared_from_this();
        while (acceptor.is_open()) {
            Stream::Socket socket(context.get_executor());
            const auto [ec] = co_await acceptor.async_accept(socket, as_values);
            if (ec == asio::error::operation_aborted || !acceptor.is_open()) break;
            if (ec == asio::error::connection_aborted) continue;
            if (ec) {  // out of descriptors, say: wait for some to come free
                asio::steady_timer pause(context, std::chrono::milliseconds(50));
                (void)co_await pause.async_wait(as_values);
                continue;
            }
            if (const auto most = shared->limits.max_connections; most > 0 && open.size() >= most) continue;
            boost::system::error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            const auto peer = socket.remote_endpoint(ignored);
            serve(std::make_shared<ServerConnection>(std::move(socket), context, shared, peer_text(peer)));
        }
    }

    void serve(const std::shared_ptr<ServerConnection>& connection) {
        open.insert(connection.get());
        asio::co_spawn(context, connection->run(tls),
                       [self = shared_from_this(), connection](const std::exception_ptr& failure) {
                           self->open.erase(connection.get());
                           connection->close();
                           if (failure && self->shared->on_exception) self->shared->on_exception(failure);
                       });
    }

    asio::io_context& context;
    std::shared_ptr<ServerShared> shared = std::make_shared<ServerShared>();
    Acceptor acceptor;
    std::shared_ptr<asio::ssl::context> tls;
    std::unordered_set<ServerConnection*> open;
    std::uint16_t port = 0;
};

Server::Server(asio::io_context& context, ServerLimits limits, Handler handler)
    : impl_(std::make_shared<Impl>(context, limits, std::move(handler))) {}
Server::~Server() {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
}

Result<void> Server::use_tls(const std::string& cert_file, const std::string& key_file) {
    auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    boost::system::error_code ec;
    tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1,
                     ec);
    tls->use_certificate_chain_file(cert_file, ec);
    if (ec) return fail(fmt::format("cannot use TLS certificate {}: {}", cert_file, ec.message()));
    tls->use_private_key_file(key_file, asio::ssl::context::pem, ec);
    if (ec) return fail(fmt::format("cannot use TLS key {}: {}", key_file, ec.message()));
    Http2Connection::offer(*tls);
    impl_->tls = std::move(tls);
    return {};
}

boost::system::error_code probe(const Listen& where) {
    boost::system::error_code ec;
    const tcp::endpoint endpoint = endpoint_of(where, ec);
    if (ec || where.port == 0) return ec;
    asio::io_context context;
    tcp::acceptor acceptor(context);
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);  // old connections do not matter
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(1, ec);
    return ec;
}

Result<void> Server::listen(const Listen& where) {
    boost::system::error_code ec;
    const tcp::endpoint endpoint = endpoint_of(where, ec);
    const auto failed = [&](std::string_view what) {
        return fail(fmt::format("cannot {} {}:{}: {}", what, where.host, where.port, ec.message()));
    };
    if (ec) return failed("listen on");
    auto& acceptor = impl_->acceptor;
    acceptor.open(endpoint.protocol(), ec);
    if (ec) return failed("open a socket for");
    acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (where.reuse_port) acceptor.set_option(ReusePort(true), ec);
    acceptor.bind(endpoint, ec);
    if (ec) {
        const auto error = failed("listen on");
        boost::system::error_code ignored;
        acceptor.close(ignored);
        return error;
    }
    acceptor.listen(4096, ec);
    if (ec) {
        const auto error = failed("listen on");
        boost::system::error_code ignored;
        acceptor.close(ignored);
        return error;
    }
    impl_->port = acceptor.local_endpoint(ec).port();
    asio::co_spawn(impl_->context, impl_->accept(), asio::detached);
    return {};
}

void Server::on_exception(std::function<void(const std::exception_ptr&)> callback) {
    impl_->shared->on_exception = std::move(callback);
}
std::uint16_t Server::port() const noexcept {
    return impl_->port;
}
std::size_t Server::connections() const noexcept {
    return impl_->open.size();
}

void Server::drain() {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    const auto open = impl_->open;
    for (ServerConnection* c : open) c->drain();
}
void Server::close() {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    const auto open = impl_->open;
    for (ServerConnection* c : open) c->close();
}

}  // namespace spillway::http
