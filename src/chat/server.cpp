#include "chat/server.hpp"

#include <array>
#include <utility>

#include "api/error.hpp"
#include "base/task.hpp"
#include "chat/guard.hpp"
#include "chat/routes.hpp"

namespace spillway::chat {
namespace {

http::ServerLimits limits(const UploadLimits& uploads) {
    http::ServerLimits out;
    out.max_body_bytes = uploads.bytes + 64UL * 1024;
    return out;
}

}  // namespace

struct ChatServer::Impl {
    Impl(Loop& loop, ServerSettings s, ModelSettings m, Store store, http::Assets page)
        : settings(std::move(s)),
          assets(page),
          model(loop, std::move(m)),
          store_thread(std::move(store)),
          turns(loop, model, store_thread),
          routes(model, store_thread, turns, readers, settings),
          server(loop, limits(settings.uploads),
                 [this](http::Exchange& exchange) { return handle(exchange); }) {
        // Who is named is known as this machine too: a health check, the proxy itself.
        for (std::string& own : own_hosts(settings.hosts.empty() ? settings.host : "localhost"))
            settings.hosts.push_back(std::move(own));
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() { readers.join(); }

    Task<void> handle(http::Exchange& exchange) {
        const http::RequestHead& request = exchange.request();
        switch (judge(request, settings.hosts, !exchange.body().empty())) {
            case Verdict::good:
                break;
            case Verdict::foreign_host:
                co_await refuse(
                    exchange, 421,
                    "This server is not known by that name: start it with --host and the name, or "
                    "let the proxy in front of it write Host anew",
                    "unknown_host");
                co_return;
            case Verdict::foreign_origin:
                co_await refuse(exchange, 403, "Only this server's own page may ask for that",
                                "foreign_origin");
                co_return;
            case Verdict::wrong_type:
                co_await refuse(exchange, 415, "The content type must be application/json",
                                "unsupported_media_type");
                co_return;
        }
        const std::string_view path = request.target.substr(0, request.target.find('?'));
        if (path.starts_with("/api/"))
            co_await routes.handle(exchange, path);
        else
            co_await file(exchange, path);
    }

    Task<void> file(http::Exchange& exchange, std::string_view path) {
        if (exchange.request().method != "GET" && exchange.request().method != "HEAD") {
            co_await refuse(exchange, 405, "Only GET is possible here", "method_not_allowed");
            co_return;
        }
        if (path == "/healthz") {
            // Named: GCC 12 cannot keep an initializer list in an awaited call.
            const std::array<http::Field, 1> fields = {{{"content-type", "text/plain"}}};
            co_await exchange.respond(200, fields, "ok\n");
            co_return;
        }
        const http::Asset* asset = http::find_asset(assets, path);
        if (asset == nullptr) {
            co_await refuse(exchange, 404, "There is no such page", "not_found");
            co_return;
        }
        if (!http::accepts_gzip(exchange.request())) {
            co_await refuse(exchange, 406, "The page is sent compressed: accept gzip", "not_acceptable");
            co_return;
        }
        const auto fields = http::asset_fields(*asset);
        co_await exchange.respond(200, fields, asset->gzip);
    }

    ServerSettings settings;
    http::Assets assets;
    Model model;
    StoreThread store_thread;
    ThreadPool readers{2};  // each reads in a process of its own
    Turns turns;
    Routes routes;
    http::Server server;
};

ChatServer::ChatServer(Loop& loop, ServerSettings settings, ModelSettings model, Store store,
                       http::Assets assets)
    : impl_(std::make_unique<Impl>(loop, std::move(settings), std::move(model), std::move(store), assets)) {}
ChatServer::~ChatServer() = default;

Result<void> ChatServer::start() {
    return impl_->server.listen({impl_->settings.host, impl_->settings.port});
}
std::uint16_t ChatServer::port() const noexcept {
    return impl_->server.port();
}
std::size_t ChatServer::open_work() const noexcept {
    return impl_->server.connections() + impl_->turns.size();
}
void ChatServer::drain() {
    impl_->server.drain();
}
void ChatServer::close() {
    impl_->turns.close();
    impl_->server.close();
}

}  // namespace spillway::chat
