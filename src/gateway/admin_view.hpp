#pragma once
/// The admin plane's answers as JSON texts. Pure; no secret goes in.
/// Thread rule: free functions, safe everywhere. Errors: none.
#include <string>
#include <string_view>

#include "config/gateway.hpp"
#include "gateway/answers.hpp"
#include "quota/client_quota.hpp"
#include "routing/router.hpp"

namespace spillway::gateway {

/// Arrays; backends as the configuration orders them.
void append_backends(std::string& out, const config::GatewayConfig& config,
                     const std::vector<routing::BackendView>& views, Wall now);
void append_clients(std::string& out, const quota::ClientQuotas& quotas);
/// An object of counts since the start.
void append_totals(std::string& out, const std::vector<routing::BackendView>& views, const Answers& answers,
                   std::int64_t in_flight);
/// An object: the configuration in words, and the clients with the beginnings of their keys' digests.
[[nodiscard]] std::string config_json(const config::GatewayConfig& config, std::string_view version);

}  // namespace spillway::gateway
