#pragma once
/// The admin plane's answers as JSON, from the rows of gateway/admin_schema.hpp. Pure; without secrets.
/// Thread rule: free functions, safe everywhere. Errors: none.
#include <span>
#include <string>

#include "base/json.hpp"
#include "gateway/admin_schema.hpp"

namespace spillway::gateway {

/// Arrays; backends in the configuration's order. `lacks` says why each has no credential.
void write_backends(JsonWriter& out, const config::GatewayConfig& config,
                    std::span<const routing::BackendView> views, std::span<const std::string> lacks,
                    Wall now);
/// A line for each backend without a credential.
void append_lacks(std::string& out, const config::GatewayConfig& config, std::span<const std::string> lacks);
/// Clients and teams; users are too many to show all at once.
void write_clients(JsonWriter& out, const quota::ClientQuotas& quotas);
/// An object with `clients` and, if there are more, `next`: up to `most` clients, users and teams after
/// `after`, the `next` of an earlier page (empty: from the first).
[[nodiscard]] std::string clients_page(const quota::ClientQuotas& quotas, std::string_view after,
                                       std::size_t most);
/// An object of counts since the start.
void write_totals(JsonWriter& out, std::span<const routing::BackendView> views, const Answers& answers,
                  std::int64_t in_flight);
/// An object: the configuration as text, what the role of who asks is, and the clients with the first digits
/// of their keys' digests.
[[nodiscard]] std::string config_json(const config::GatewayConfig& config, std::string_view version,
                                      config::AdminRole role);

}  // namespace spillway::gateway
