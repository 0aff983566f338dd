#pragma once
/// The admin plane on its own port: the dashboard's page, /healthz, /readyz, /metrics and the JSON of /api.
///
/// The page, /healthz and /readyz are public; the rest requires a token if one is configured
/// (`Authorization: Bearer`, compared in constant time) or a log-in (gateway/login.hpp), whose role decides
/// what it may change. Each change writes one log line that begins with "audit". Without either, /api on a
/// loopback address answers only for loopback names; and a page of another origin can never change anything
/// (http/same_origin.hpp).
/// Ownership: the Gateway must outlive it; the page's files are static. Thread rule: the main thread's
/// loop. Errors: listen() says why a port cannot be bound.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "base/thread_pool.hpp"
#include "gateway/answers.hpp"
#include "gateway/gateway.hpp"
#include "gateway/login.hpp"
#include "http/assets.hpp"
#include "http/server.hpp"

namespace spillway::gateway {

class Admin {
public:
    struct Page {
        http::Assets assets;
        std::string version;
    };
    /// Maximum of concurrent /api/events streams.
    static constexpr unsigned kMaxStreams = 64;

    Admin(Loop& loop, Gateway& gateway, Page page);
    /// Uses `socket`, which is listening already, or binds the admin port.
    Result<void> listen(FileDescriptor socket = {});
    [[nodiscard]] std::uint16_t port() const noexcept { return server_.port(); }
    /// From now on /readyz is 503, so that a load balancer in front sends no more.
    void draining() noexcept { draining_ = true; }
    /// Another process now accepts connections from the same socket.
    void hand_over();
    void close() { server_.close(); }
    /// The socket of its port, for another process.
    [[nodiscard]] int socket() const noexcept { return socket_.get(); }
    /// Implements POST /api/reload, which does not exist without it.
    void on_reload(std::function<ReloadReport()> reload) { reload_ = std::move(reload); }
    /// Answers one request: what the listener does with each.
    Task<void> handle(http::Exchange& exchange);

private:
    struct Reply {
        unsigned status = 404;
        std::string body;
    };
    /// Who asks; nothing: nobody that is known.
    struct Who {
        std::string name;
        config::AdminRole role = config::AdminRole::manage;
        std::optional<identity::Person> person{};  ///< who logged in; nullopt: a token, or nothing is needed
    };
    Task<bool> handle_open(http::Exchange& exchange, std::string_view path);
    Task<Reply> api(http::Exchange& exchange, std::string_view path, const Who& who);
    /// Answers GET /api/session: for anyone, so that the page knows whether there is a log-in.
    [[nodiscard]] Reply session(const std::optional<Who>& who) const;
    /// Why the role is not enough; empty if it is.
    [[nodiscard]] static Reply forbidden(const Who& who, config::AdminRole needed);
    [[nodiscard]] std::optional<Who> who(const http::Exchange& exchange) const;
    /// The refusal for a page of another origin or host name; empty if it is not one.
    [[nodiscard]] Reply foreign(const http::Exchange& exchange) const;
    /// The same for a log-in's cookie, which a browser sends along with other pages' requests.
    [[nodiscard]] Reply forged(const http::Exchange& exchange) const;
    /// POST /api/backends/{name}/{drain,disable,enable}: in use at once, then kept on a thread of its own.
    Task<Reply> change(std::string asked, const Who& who);
    /// The present state of backends, clients and totals.
    [[nodiscard]] std::string live_json();
    /// The state once a second, as server-sent events, until the client leaves.
    Task<void> events(http::Exchange& exchange);
    /// Body and status of /api/usage; reads the ledger on a thread of its own.
    [[nodiscard]] std::string clients_json(std::string_view target) const;
    Task<Reply> usage(std::string target);
    /// /api/keys; the store is asked on a thread of its own.
    Task<Reply> keys(http::Exchange& exchange, const Who& who);

    Gateway& gateway_;
    const Page page_;
    const std::vector<std::string> hosts_;
    Answers answers_;
    telemetry::UpDown& in_flight_;
    Login login_;
    FileDescriptor socket_;  ///< a copy, to be passed to a successor
    http::Server server_;
    ThreadPool readers_{1};
    ThreadPool changes_{1};  ///< of backends' modes, which wait for no long reading
    /// Shared with the streams' frames, which may outlive this.
    std::shared_ptr<unsigned> streams_ = std::make_shared<unsigned>(0);
    bool draining_ = false;
    std::function<ReloadReport()> reload_;
};

}  // namespace spillway::gateway
