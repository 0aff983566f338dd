#pragma once
/// The parts of a gateway's file, read one by one: the inside of config/yaml.hpp.
///
/// Each function reads what it finds into `out` and reports the rest to the reader's context.
#include <map>
#include <string>
#include <vector>

#include "config/gateway.hpp"
#include "config/yaml_reader.hpp"

namespace spillway::config::yaml {

/// The list under `backends`, with names for those that have none.
void read_backends(MapReader& root, std::vector<BackendConfig>& out);
/// The list under `clients`; keys become digests.
void read_clients(MapReader& root, std::vector<ClientConfig>& out);
/// The map under `limits` of a client, the users or a team.
void read_limits(MapReader& owner, QuotaConfig& out);
/// A client's team, priority, deployments, limits and names in tokens and fields.
void read_client_rights(MapReader& reader, ClientConfig& out);
void read_teams(MapReader& root, std::vector<TeamConfig>& out);
void read_users(MapReader& root, UsersConfig& out);
void read_identity(MapReader& root, IdentityConfig& out);
void read_weights(MapReader& root, WeightsConfig& out);
void read_prices(MapReader& root, std::map<std::string, PriceConfig, std::less<>>& out);
void read_fairness(MapReader& root, FairnessConfig& out);
void read_ledger(MapReader& root, std::string& path);
void read_redis(MapReader& root, RedisConfig& out);
void read_listen(MapReader& reader, std::string_view key, ListenConfig& out);
/// Whether the list is absent or empty; what is no list is reported by MapReader::list().
[[nodiscard]] bool is_empty_list(MapReader& reader, std::string_view key);
/// Reports a file that cannot be read now, so that it is known before the start.
void check_readable(MapReader& reader, std::string_view key, const std::string& path);

}  // namespace spillway::config::yaml
