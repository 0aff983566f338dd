#pragma once
/// All settings of the gateway's and the emulator's file: each of the files `settings_*.cpp` holds a part of
/// the tables.
///
/// docs/development.md says how to add one. Thread rule: the tables are built once, and const.
#include "config/emulator.hpp"
#include "config/fields.hpp"
#include "config/gateway.hpp"

namespace spillway::config {

[[nodiscard]] const Fields<GatewayConfig>& gateway_fields();

// settings_server.cpp: the process and its listeners
[[nodiscard]] const Fields<GatewayConfig>& server_fields();
[[nodiscard]] const Fields<AdminConfig>& admin_fields();
[[nodiscard]] const Fields<AccessLogConfig>& log_fields();
[[nodiscard]] const Fields<LimitsConfig>& limits_fields();
// settings_oidc.cpp
[[nodiscard]] const Fields<AdminOidcConfig>& admin_oidc_fields();
// settings_backends.cpp
[[nodiscard]] const Fields<BackendConfig>& backend_fields();
// settings_routing.cpp
[[nodiscard]] const Fields<RetryConfig>& retry_fields();
[[nodiscard]] const Fields<AffinityConfig>& affinity_fields();
[[nodiscard]] const Fields<StreamConfig>& stream_fields();
// settings_clients.cpp: who may call, and their limits
[[nodiscard]] const Fields<ClientConfig>& client_fields();
[[nodiscard]] const Fields<TeamConfig>& team_fields();
[[nodiscard]] const Fields<UsersConfig>& users_fields();
[[nodiscard]] const Fields<QuotaConfig>& quota_fields();
// settings_identity.cpp
[[nodiscard]] const Fields<IdentityConfig>& identity_fields();
/// An address or a network.
[[nodiscard]] bool is_network(const std::string& text);
// settings_issuers.cpp
[[nodiscard]] const Fields<IssuerConfig>& issuer_fields();
/// Checks that token rules name existing clients.
void check_rules(yaml::MapReader& root, const GatewayConfig& config);
// settings_accounting.cpp: weights and prices of tokens, the ledger, sharing between replicas
[[nodiscard]] const Fields<WeightsConfig>& weights_fields();
[[nodiscard]] const Fields<PriceConfig>& price_fields();
[[nodiscard]] const Fields<FairnessConfig>& fairness_fields();
[[nodiscard]] const Fields<GatewayConfig>& ledger_fields();
[[nodiscard]] const Fields<RedisConfig>& redis_fields();
[[nodiscard]] const Fields<StoreConfig>& store_fields();

/// settings_together.cpp: checks that involve several settings.
void check_together(yaml::MapReader& root, const GatewayConfig& config);

/// A JSON Schema (draft 2020-12) of the file, for editors: `spillway check --schema`.
[[nodiscard]] std::string gateway_schema();
[[nodiscard]] std::string emulator_schema();

/// The settings of the emulator's file, for the schema and the docs.
[[nodiscard]] std::vector<SettingInfo> emulator_settings();

/// A configuration as a tree that could be its file.
[[nodiscard]] Value to_value(const GatewayConfig& config);
[[nodiscard]] Value to_value(const EmulatorConfig& config);

}  // namespace spillway::config
