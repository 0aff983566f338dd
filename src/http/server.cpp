#include "http/server.hpp"

#include <unordered_set>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/server_connection.hpp"
#include "http/tls_transport.hpp"

namespace spillway::http {

struct Server::Impl : std::enable_shared_from_this<Impl> {
    Impl(Loop& l, ServerLimits limits, Handler h) : loop(l), acceptor(l) {
        shared->limits = limits;
        shared->handler = std::move(h);
    }

    Task<void> accept() {
        const auto self = shared_from_this();
        for (;;) {
            auto accepted = co_await acceptor.accept();
            if (accepted.ec == IoError::cancelled) break;
            if (accepted.ec) {  // out of descriptors, say: wait for some to come free
                Timer pause(loop);
                (void)co_await pause.sleep_for(std::chrono::milliseconds(50));
                continue;
            }
            if (const auto most = shared->limits.max_connections; most > 0 && open.size() >= most) continue;
            set_connection_options(accepted.socket.get());
            serve(std::make_shared<ServerConnection>(loop, shared, accepted.peer.to_string()),
                  std::move(accepted.socket));
        }
    }

    void serve(const std::shared_ptr<ServerConnection>& connection, FileDescriptor socket) {
        std::unique_ptr<Transport> transport;
        if (tls)
            transport = std::make_unique<TlsTransport>(std::move(socket), tls);
        else
            transport = std::make_unique<PlainTransport>(std::move(socket));
        open.insert(connection.get());
        loop.spawn(connection->run(std::move(transport)),
                   [self = shared_from_this(), connection](const std::exception_ptr& failure) {
                       self->open.erase(connection.get());
                       connection->close();
                       if (failure && self->shared->on_exception) self->shared->on_exception(failure);
                   });
    }

    Loop& loop;
    std::shared_ptr<ServerShared> shared = std::make_shared<ServerShared>();
    Acceptor acceptor;
    TlsContext::Shared tls;
    std::unordered_set<ServerConnection*> open;
};

Server::Server(Loop& loop, ServerLimits limits, Handler handler)
    : impl_(std::make_shared<Impl>(loop, limits, std::move(handler))) {}
Server::~Server() {
    impl_->acceptor.close();
}

Result<void> Server::use_tls(const std::string& cert_file, const std::string& key_file) {
    auto tls = TlsContext::server(cert_file, key_file);
    if (!tls) return tls.error();
    use_tls(std::move(*tls));
    return {};
}
void Server::use_tls(TlsContext::Shared tls) noexcept {
    impl_->tls = std::move(tls);
}

void Server::use_limits(const ServerLimits& limits) noexcept {
    impl_->shared->limits = limits;
}

Result<void> Server::listen(const Listen& where) {
    auto bound = impl_->acceptor.listen(where);
    if (bound) impl_->loop.spawn(impl_->accept());
    return bound;
}

void Server::on_exception(std::function<void(const std::exception_ptr&)> callback) {
    impl_->shared->on_exception = std::move(callback);
}
std::uint16_t Server::port() const noexcept {
    return impl_->acceptor.port();
}
std::size_t Server::connections() const noexcept {
    return impl_->open.size();
}

void Server::drain() {
    impl_->acceptor.close();
    const auto open = impl_->open;
    for (ServerConnection* c : open) c->drain();
}
void Server::close() {
    impl_->acceptor.close();
    const auto open = impl_->open;
    for (ServerConnection* c : open) c->close();
}

}  // namespace spillway::http
