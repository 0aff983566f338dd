#include "gateway/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/dialect.hpp"
#include "identity/keepers.hpp"

namespace spillway::gateway {

namespace {

/// A proxy on the way to plain http reads the request itself; with TLS it sees a tunnel only.
void add_address(Snapshot& snapshot, const config::BackendConfig& backend) {
    std::string lines = fmt::format("Host: {}\r\n", backend.url.authority());
    std::string prefix;
    if (backend.proxy && !backend.url.tls) {
        prefix = "http://" + backend.url.authority();
        if (const std::string shown = backend.proxy->authorization(); !shown.empty())
            http::append_field(lines, "Proxy-Authorization", shown);
    }
    snapshot.host_lines.push_back(std::move(lines));
    snapshot.absolute_prefixes.push_back(std::move(prefix));
}

/// Encrypted reasoning goes back to the resource that made it, wherever that is among the backends now.
void keep_affinity(Snapshot& snapshot, const Snapshot& before) {
    std::vector<std::optional<routing::BackendIndex>> now;
    for (const auto resource : before.resources) now.push_back(snapshot.backend_of(resource));
    for (auto entry : before.affinity->entries()) {
        if (entry.backend >= now.size() || !now[entry.backend]) continue;
        entry.backend = *now[entry.backend];
        snapshot.affinity->put(entry);
    }
}

}  // namespace

std::optional<routing::BackendIndex> Snapshot::backend_of(store::ResourceNumber resource) const noexcept {
    const auto at = std::ranges::find(resources, resource);
    if (resource == 0 || at == resources.end()) return std::nullopt;
    return static_cast<routing::BackendIndex>(at - resources.begin());
}

std::string resource_name(const config::GatewayConfig& config, std::size_t backend) {
    const config::BackendConfig& b = config.backends[backend];
    std::string_view path = b.url.base_path;
    for (const std::string_view end : {"/", "/v1", "/openai"})
        if (path.ends_with(end)) path.remove_suffix(end.size());
    std::string name = fmt::format("{}{}", b.url.authority(), path);
    // A key of a provider's is a project's; Azure's two are one resource's.
    if (api::dialect(b.kind).keys_share_things()) return name;
    const auto same = std::ranges::count(config.backends, b.url, &config::BackendConfig::url);
    if (same > 1) name += fmt::format("#{}", b.name);
    return name;
}

bool keeps_apart(const config::GatewayConfig& config) noexcept {
    if (config.tenancy != config::Tenancy::automatic) return config.tenancy == config::Tenancy::isolated;
    return config.clients.size() > 1 || config.teams.size() > 1 || !config.identity.headers.team.empty();
}

Result<std::shared_ptr<const Snapshot>> make_snapshot(config::GatewayConfig config,
                                                      quota::ClientQuotas& quotas, identity::Keepers& keepers,
                                                      store::ObjectDirectory& objects,
                                                      const Snapshot* before) {
    auto snapshot = std::make_shared<Snapshot>(std::move(config), before);
    for (const auto& backend : snapshot->config.backends) {
        add_address(*snapshot, backend);
        if (backend.auth.uses_tokens()) {
            snapshot->credentials.push_back(identity::make_token_credential(keepers.token(backend.auth)));
            continue;
        }
        const auto scheme = backend.key_style == config::KeyStyle::bearer ? identity::AuthScheme::bearer
                                                                          : identity::AuthScheme::api_key;
        auto credential = identity::make_static_key(scheme, backend.api_key.reveal());
        if (!credential) return fail(fmt::format("backend {}: {}", backend.name, credential.error().message));
        snapshot->credentials.push_back(std::move(*credential));
    }
    for (std::size_t i = 0; i < snapshot->config.backends.size(); ++i)
        snapshot->resources.push_back(objects.resource(resource_name(snapshot->config, i)));
    if (before != nullptr) keep_affinity(*snapshot, *before);
    snapshot->isolated = keeps_apart(snapshot->config);
    if (const auto& oidc = snapshot->config.admin.oidc) snapshot->login_keys = keepers.issuer(oidc->provider);
    // Last, since it changes the limits in use.
    auto clients = ClientTable::make(snapshot->config, quotas, keepers);
    if (!clients) return clients.error();
    snapshot->clients = std::move(*clients);
    return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

http::OriginOptions origin_options(const config::BackendConfig& backend) {
    http::OriginOptions options;
    options.host = backend.url.host;
    options.port = backend.url.port;
    options.tls = backend.url.tls;
    options.tls_verify = backend.tls.verify;
    options.tls_ca_file = backend.tls.ca_file;
    options.tls_server_name = backend.tls.server_name;
    options.connect_timeout = backend.timeouts.connect;
    options.max_idle = backend.max_idle_connections;
    if (const auto& proxy = backend.proxy)
        options.proxy = http::DialProxy{proxy->host, proxy->port, proxy->authorization()};
    return options;
}

}  // namespace spillway::gateway
