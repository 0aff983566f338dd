#include "http/server.hpp"

#include <fcntl.h>

#include <list>
#include <unordered_set>
#include <vector>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/server_connection.hpp"
#include "http/tls_transport.hpp"

namespace spillway::http {

struct Server::Impl : std::enable_shared_from_this<Impl> {
    Impl(Loop& l, ServerLimits limits, Handler h) : loop(l) {
        shared->limits = limits;
        shared->handler = std::move(h);
    }

    Task<void> accept(Acceptor& acceptor) {
        const auto self = shared_from_this();
        for (;;) {
            auto accepted = co_await acceptor.accept();
            if (accepted.ec == IoError::cancelled) break;
            if (accepted.ec) {  // out of descriptors, say
                if (on_shortage) on_shortage(accepted.ec);
                if (!aside.empty()) {
                    aside.pop_back();
                    continue;
                }
                Timer pause(loop);  // until some come free
                (void)co_await pause.sleep_for(std::chrono::milliseconds(50));
                continue;
            }
            admit(std::move(accepted));
        }
    }

    void admit(Acceptor::Accepted accepted) {
        if (const auto most = shared->limits.max_connections; most > 0 && open.size() >= most)
            if (!close_an_idle_one()) return;
        AddressCounts::Place place;
        const std::size_t most = shared->limits.connections_per_client;
        if (most > 0 && shared->limits.addresses != nullptr) {
            place = shared->limits.addresses->enter(accepted.peer);
            if (place.number() > 2 * most) return;
        }
        set_connection_options(accepted.socket.get());
        const bool crowded = place.number() > most;
        const auto connection =
            std::make_shared<ServerConnection>(loop, shared, accepted.peer.to_string(), std::move(place));
        if (crowded) connection->refuse_requests();
        serve(connection, std::move(accepted.socket));
    }

    /// Whoever got through to the port is not sent away when it closes.
    void admit_waiting() {
        for (Acceptor& acceptor : acceptors)
            while (acceptor.is_open()) {
                auto accepted = acceptor.accept_now();
                if (accepted.ec) break;
                admit(std::move(accepted));
            }
    }

    Result<void> listen(auto&&... where) {
        Acceptor& acceptor = acceptors.emplace_back(loop);
        auto bound = acceptor.listen(std::forward<decltype(where)>(where)...);
        if (bound)
            loop.spawn(accept(acceptor));
        else
            acceptors.pop_back();
        return bound;
    }

    void stop_accepting() noexcept {
        for (Acceptor& acceptor : acceptors) acceptor.close();
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
                       self->put_descriptors_aside();
                       if (failure && self->shared->on_exception) self->shared->on_exception(failure);
                   });
    }

    /// The one idle for longest, of a few: whoever holds many connections loses them first.
    bool close_an_idle_one() {
        constexpr std::size_t looked_at = 32;
        ServerConnection* oldest = nullptr;
        std::size_t bucket = next_bucket % open.bucket_count();
        for (std::size_t seen = 0, n = 0; seen < looked_at && n < open.bucket_count(); ++n) {
            for (auto at = open.begin(bucket); at != open.end(bucket); ++at, ++seen)
                if ((*at)->idle() &&
                    (oldest == nullptr || (*at)->last_request_at() < oldest->last_request_at()))
                    oldest = *at;
            bucket = (bucket + 1) % open.bucket_count();
        }
        // Those that were closed stay in the set for a turn: the next look is at others.
        next_bucket = bucket;
        if (oldest != nullptr) oldest->close();
        return oldest != nullptr;
    }

    void put_descriptors_aside() {
        while (aside.size() < kept_aside) {
            FileDescriptor one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            if (!one.is_open()) return;
            aside.push_back(std::move(one));
        }
    }

    Loop& loop;
    std::size_t kept_aside = 0;
    std::vector<FileDescriptor> aside;
    std::size_t next_bucket = 0;
    std::function<void(const std::error_code&)> on_shortage;
    std::shared_ptr<ServerShared> shared = std::make_shared<ServerShared>();
    std::list<Acceptor> acceptors;
    TlsContext::Shared tls;
    std::unordered_set<ServerConnection*> open;
};

Server::Server(Loop& loop, ServerLimits limits, Handler handler)
    : impl_(std::make_shared<Impl>(loop, limits, std::move(handler))) {}
Server::~Server() {
    impl_->stop_accepting();
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
    return impl_->listen(where);
}

Result<void> Server::listen(FileDescriptor socket) {
    return impl_->listen(std::move(socket));
}

void Server::on_exception(std::function<void(const std::exception_ptr&)> callback) {
    impl_->shared->on_exception = std::move(callback);
}
void Server::on_refused_certificate(
    std::function<void(std::string_view peer, std::string_view why)> callback) {
    impl_->shared->on_refused_certificate = std::move(callback);
}
void Server::keep_descriptors(std::size_t count) {
    impl_->kept_aside = count;
    impl_->put_descriptors_aside();
}
void Server::on_shortage(std::function<void(const std::error_code&)> callback) {
    impl_->on_shortage = std::move(callback);
}
void Server::hand_over_heads() noexcept {
    impl_->shared->heads_first = true;
}
std::uint16_t Server::port() const noexcept {
    return impl_->acceptors.empty() ? std::uint16_t{0} : impl_->acceptors.front().port();
}
std::size_t Server::connections() const noexcept {
    return impl_->open.size();
}

void Server::announce_end() {
    impl_->shared->last_answers = true;
    const auto open = impl_->open;
    for (ServerConnection* c : open) c->announce_end();
}
void Server::stop_accepting() {
    impl_->stop_accepting();
}
void Server::drain() {
    impl_->admit_waiting();
    impl_->stop_accepting();
    const auto open = impl_->open;
    for (ServerConnection* c : open) c->drain();
}
void Server::close() {
    impl_->stop_accepting();
    const auto open = impl_->open;
    for (ServerConnection* c : open) c->close();
}

}  // namespace spillway::http
