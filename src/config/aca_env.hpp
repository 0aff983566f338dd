#pragma once
/// The environment of Azure-Samples/openai-aca-lb, so that Spillway can stand in for it unchanged.
///
/// Source: that sample's README.md and src/BackendConfig.cs (backends), src/YarpConfiguration.cs (the
/// time-out is one of activity), infra/web.bicep (target port 8080). Problems name the variable as `key`; no
/// problem holds a value.
/// Thread rule: a function of its argument; `sources` is used on the calling thread only.
#include "config/gateway.hpp"
#include "config/problem.hpp"
#include "config/sources.hpp"

namespace spillway::config {

/// Whether there is any BACKEND_n_URL, _PRIORITY, _APIKEY or _DEPLOYMENT_NAME with a number n.
[[nodiscard]] bool has_aca_env(const Sources& sources);

/// BACKEND_n_URL and BACKEND_n_PRIORITY (both needed), BACKEND_n_APIKEY, BACKEND_n_DEPLOYMENT_NAME for any
/// numbers n, HTTP_TIMEOUT_SECONDS (100); names in any case and values trimmed, as the sample has it.
/// Listens where ASPNETCORE_HTTP_PORTS says, else on 8080, on all interfaces. Beyond the sample:
/// SPILLWAY_LISTEN, SPILLWAY_CLIENT_KEY, SPILLWAY_ADMIN_LISTEN, SPILLWAY_ADMIN_TOKEN.
[[nodiscard]] Loaded<GatewayConfig> load_aca_env(const Sources& sources);

}  // namespace spillway::config
