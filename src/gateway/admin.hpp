#pragma once
/// The admin plane on its own port: /healthz, /readyz, /metrics, /api/backends, /api/clients, /api/usage.
///
/// /healthz and /readyz answer anyone; the rest asks for the token if one is configured
/// (`Authorization: Bearer`, compared in constant time). Ownership: the Gateway must outlive it.
/// Thread rule: the main thread's io_context. Errors: listen() says why a port cannot be bound.
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <string>
#include <utility>

#include "gateway/gateway.hpp"
#include "http/server.hpp"

namespace spillway::gateway {

class Admin {
public:
    Admin(asio::io_context& context, Gateway& gateway);
    Result<void> listen();
    /// From now on /readyz says 503: a balancer in front should send no more.
    void draining() noexcept { draining_ = true; }
    void close() { server_.close(); }

private:
    asio::awaitable<void> handle(http::Exchange& exchange);
    [[nodiscard]] bool allowed(const http::Exchange& exchange) const;
    [[nodiscard]] std::string backends_json() const;
    [[nodiscard]] std::string clients_json() const;
    /// Body and status of /api/usage; reads the ledger on a thread of its own.
    asio::awaitable<std::pair<unsigned, std::string>> usage(std::string target);

    Gateway& gateway_;
    http::Server server_;
    asio::thread_pool readers_{1};
    bool draining_ = false;
};

}  // namespace spillway::gateway
