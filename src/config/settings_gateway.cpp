// The gateway's file as a whole: its sections, and what goes together in them.
#include <fmt/format.h>

#include <set>

#include "config/codecs.hpp"
#include "config/settings.hpp"

namespace spillway::config {
namespace {

/// `one` for one.openai.azure.com, another host as it is, `backend-N` where that is no name or not unique.
std::string name_for(const BackendConfig& backend, std::size_t number, const std::set<std::string>& taken) {
    auto name = backend.url.host;
    if (name.ends_with(".azure.com")) name.resize(name.find('.'));
    if (yaml::is_name(name) && !taken.contains(name)) return name;
    do name = fmt::format("backend-{}", number++);
    while (taken.contains(name));
    return name;
}

void name_backends(std::vector<BackendConfig>& backends) {
    std::set<std::string> taken;
    for (const auto& b : backends) taken.insert(b.name);
    for (std::size_t i = 0; i < backends.size(); ++i) {
        if (!backends[i].name.empty()) continue;
        backends[i].name = name_for(backends[i], i + 1, taken);
        taken.insert(backends[i].name);
    }
}

}  // namespace

const Fields<GatewayConfig>& gateway_fields() {
    static const auto fields =
        Fields<GatewayConfig>()
            .group("server", server_fields())
            .section("admin", &GatewayConfig::admin, admin_fields())
            .section("log", &GatewayConfig::access_log, log_fields())
            .list("clients", &GatewayConfig::clients, client_fields(), "expected a list of clients")
            .add("allow_anonymous", &GatewayConfig::allow_anonymous, codec::Flag{},
                 {.help = "permits a gateway without `clients` that other machines can reach",
                  .apply = Apply::live})
            .list("backends", &GatewayConfig::backends, backend_fields(), "expected a list of backends")
            .then([](yaml::MapReader&, GatewayConfig& config) { name_backends(config.backends); })
            .section("retry", &GatewayConfig::retry, retry_fields())
            .section("affinity", &GatewayConfig::affinity, affinity_fields())
            .section("stream", &GatewayConfig::stream, stream_fields())
            .section("limits", &GatewayConfig::limits, limits_fields())
            .list("teams", &GatewayConfig::teams, team_fields(), "expected a list of teams")
            .section("users", &GatewayConfig::users, users_fields())
            .section("identity", &GatewayConfig::identity, identity_fields())
            .section("weights", &GatewayConfig::weights, weights_fields())
            .map("prices", &GatewayConfig::prices, price_fields(), "has an empty name; expected a model")
            .section("fairness", &GatewayConfig::fairness, fairness_fields())
            .add("tenancy", &GatewayConfig::tenancy,
                 codec::Choice<Tenancy>{{{"isolated", Tenancy::isolated}, {"shared", Tenancy::shared}}},
                 {.help = "`isolated`: a client sees, uses and lists only what it made itself (files, stored "
                          "responses, batches …), see [keys.md](keys.md#whose-things-these-are); `shared`: "
                          "all see all",
                  .default_words = "`isolated` if there is more than one client or team"})
            .section("store", &GatewayConfig::store, store_fields())
            .group("ledger", ledger_fields())
            .section("redis", &GatewayConfig::redis, redis_fields(), {.apply = Apply::restart})
            .shown_if([](const GatewayConfig& config) { return config.redis.enabled(); })
            .then([](yaml::MapReader& root, GatewayConfig& config) { check_together(root, config); });
    return fields;
}

Value to_value(const GatewayConfig& config) {
    return gateway_fields().show(config);
}

}  // namespace spillway::config
