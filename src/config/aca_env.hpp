#pragma once
/// Reads the environment of Azure-Samples/openai-aca-lb, so that Spillway can replace it unchanged.
///
/// Source: that sample's README.md and src/BackendConfig.cs (backends), src/YarpConfiguration.cs (the
/// time-out is one of inactivity), infra/web.bicep (target port 8080). Problems name the variable as `key`,
/// and never contain a value.
/// Thread rule: a function of its argument; `sources` is used on the calling thread only.
#include "config/gateway.hpp"
#include "config/problem.hpp"
#include "config/sources.hpp"

namespace spillway::config {

/// Whether BACKEND_n_URL, _PRIORITY, _APIKEY or _DEPLOYMENT_NAME is set for any number n.
[[nodiscard]] bool has_aca_env(const Sources& sources);

/// BACKEND_n_URL and BACKEND_n_PRIORITY (both required), BACKEND_n_APIKEY, BACKEND_n_DEPLOYMENT_NAME for any
/// numbers n, HTTP_TIMEOUT_SECONDS (default 100). As in the sample, names are in any case and values trimmed.
/// Listens on the ports in ASPNETCORE_HTTP_PORTS, or on 8080, on all interfaces. Beyond the sample:
/// SPILLWAY_LISTEN, SPILLWAY_CLIENT_KEY, SPILLWAY_ADMIN_LISTEN, SPILLWAY_ADMIN_TOKEN.
[[nodiscard]] Loaded<GatewayConfig> load_aca_env(const Sources& sources);

}  // namespace spillway::config
