#include "gateway/snapshot.hpp"

#include <fmt/format.h>

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

}  // namespace

Result<std::shared_ptr<const Snapshot>> make_snapshot(config::GatewayConfig config,
                                                      quota::ClientQuotas& quotas, identity::Keepers& keepers,
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
