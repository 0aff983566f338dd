#pragma once
/// One configuration ready to serve: the clients, the backends and their credentials. Built and replaced as a
/// whole at a reload; a request keeps the one it started with.
///
/// Ownership: shared by all workers through shared_ptr<const Snapshot>. Thread rule: immutable, except for
/// the router, whose state is atomic. Errors: make_snapshot() says what in the configuration cannot be used.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "base/result.hpp"
#include "config/gateway.hpp"
#include "gateway/clients.hpp"
#include "gateway/refused_parameters.hpp"
#include "gateway/session_affinity.hpp"
#include "gateway/thinking_times.hpp"
#include "http/client.hpp"
#include "identity/upstream_auth.hpp"
#include "quota/estimator.hpp"
#include "routing/router.hpp"
#include "store/object_directory.hpp"

namespace spillway::identity {
class IssuerKeys;
class Keepers;
}  // namespace spillway::identity

namespace spillway::gateway {

struct Snapshot {
    /// `before`: the one in use, whose router's state is taken over.
    explicit Snapshot(config::GatewayConfig c, const Snapshot* before = nullptr)
        : config(std::move(c)),
          router(std::make_unique<routing::Router>(
              config.backends, config.retry, routing::Options{.adapt = config.limits.adaptive_concurrency},
              before != nullptr ? before->router.get() : nullptr)),
          estimators(std::make_unique<quota::Estimators>(router->deployment_bound())),
          thinking(std::make_unique<ThinkingTimes>(router->deployment_bound())) {}

    config::GatewayConfig config;
    ClientTable clients;
    std::vector<std::unique_ptr<identity::CredentialSource>> credentials;  ///< by backend
    std::vector<std::string> host_lines;                                   ///< "Host: …\r\n" by backend
    std::vector<std::string> absolute_prefixes;    ///< of targets, by backend: "http://host" for a proxy
    std::vector<store::ResourceNumber> resources;  ///< by backend: which one it is, as the directory counts
    std::shared_ptr<identity::IssuerKeys> login_keys;  ///< of admin.oidc's provider; null: there is none
    /// Nobody sees what others made. May become true once keys are made for more clients.
    mutable std::atomic<bool> isolated{false};
    std::unique_ptr<routing::Router> router;
    std::unique_ptr<quota::Estimators> estimators;  ///< by the router's deployments
    std::unique_ptr<ThinkingTimes> thinking;        ///< also
    std::unique_ptr<SessionAffinity> affinity = std::make_unique<SessionAffinity>();
    std::unique_ptr<RefusedParameters> no_stream_options = std::make_unique<RefusedParameters>();

    /// The first backend that is this resource, if there is one.
    [[nodiscard]] std::optional<routing::BackendIndex> backend_of(
        store::ResourceNumber resource) const noexcept;
};

[[nodiscard]] Result<std::shared_ptr<const Snapshot>> make_snapshot(config::GatewayConfig config,
                                                                    quota::ClientQuotas& quotas,
                                                                    identity::Keepers& keepers,
                                                                    store::ObjectDirectory& objects,
                                                                    const Snapshot* before = nullptr);
/// What names a backend's resource wherever it is configured: its host and path, and for what shares them (a
/// provider's projects) what tells it apart.
[[nodiscard]] std::string resource_name(const config::GatewayConfig& config, std::size_t backend);
/// Whether clients are kept apart: as configured, or if there is more than one client or team.
[[nodiscard]] bool keeps_apart(const config::GatewayConfig& config) noexcept;

/// How a worker connects to a backend.
[[nodiscard]] http::OriginOptions origin_options(const config::BackendConfig& backend);

}  // namespace spillway::gateway
