#pragma once
/// One configuration made ready to serve: who may call, which backends there are, with what credentials.
/// Built whole, swapped whole on reload; a request keeps the one it began with.
///
/// Ownership: shared by all workers through shared_ptr<const Snapshot>. Thread rule: immutable, but for the
/// router, whose state is atomics. Errors: make_snapshot() says what in the configuration cannot be used.
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/gateway.hpp"
#include "gateway/clients.hpp"
#include "gateway/residence.hpp"
#include "http/client.hpp"
#include "identity/upstream_auth.hpp"
#include "quota/estimator.hpp"
#include "routing/router.hpp"

namespace spillway::gateway {

namespace asio = boost::asio;

struct Snapshot {
    explicit Snapshot(config::GatewayConfig c)
        : config(std::move(c)),
          router(std::make_unique<routing::Router>(config.backends, config.retry)),
          estimators(std::make_unique<quota::Estimators>(router->deployment_bound())) {}

    config::GatewayConfig config;
    ClientTable clients;
    std::vector<std::unique_ptr<identity::CredentialSource>> credentials;  ///< by backend
    std::vector<std::string> host_lines;                                   ///< "Host: …\r\n" by backend
    std::unique_ptr<routing::Router> router;
    std::unique_ptr<quota::Estimators> estimators;  ///< by the router's deployments
    std::unique_ptr<Residence> residence = std::make_unique<Residence>();
};

[[nodiscard]] Result<std::shared_ptr<const Snapshot>> make_snapshot(config::GatewayConfig config,
                                                                    quota::ClientQuotas& quotas);

/// How one worker reaches a backend.
[[nodiscard]] http::OriginOptions origin_options(const config::BackendConfig& backend);

}  // namespace spillway::gateway
