// What no single key of the gateway's file is to blame for: names and settings that only make sense together.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "config/listen.hpp"
#include "config/served_models.hpp"
#include "config/settings.hpp"

namespace spillway::config {
namespace {

bool has_budget(const QuotaConfig& limits) {
    return limits.budget != PerPeriod<double>{};
}

std::string path_of(std::string_view list, std::size_t index) {
    return fmt::format("{}[{}]", list, index);
}

/// Where a key of a list's item is, and its path.
std::optional<std::pair<YAML::Mark, std::string>> place_of(yaml::MapReader& root, std::string_view list,
                                                           std::size_t index, std::string_view key) {
    const auto items = root.list(list);
    if (index >= items.size() || !items[index].node.IsMap()) return std::nullopt;
    const YAML::Node& item = items[index].node;  // const: looking a key up must not add it
    const auto value = item[std::string(key)];
    return std::pair(value ? value.Mark() : item.Mark(), fmt::format("{}.{}", items[index].path, key));
}

/// Reports at an item of a list, or at the list if it is not there.
void warn_at(yaml::MapReader& root, std::string_view list, std::size_t index, std::string_view key,
             std::string message) {
    const auto place = place_of(root, list, index, key);
    if (!place) return root.warning(list, std::move(message));
    root.context().warning(place->first, place->second, std::move(message));
}

void error_at(yaml::MapReader& root, std::string_view list, std::size_t index, std::string_view key,
              std::string message) {
    const auto place = place_of(root, list, index, key);
    if (!place) return root.error(list, std::move(message));
    root.context().error(place->first, place->second, std::move(message));
}

void check_listeners(yaml::MapReader& root, const GatewayConfig& config) {
    if (root.is_empty_list("clients") && !config.allow_anonymous && !is_loopback(config.listen.host))
        root.error("clients",
                   fmt::format("needs at least one client, as server.listen ({}) is open to other machines; "
                               "or set allow_anonymous: true to serve anyone",
                               to_string(config.listen)));
    if (config.admin.enabled && config.listen == config.admin.listen && config.listen.port != 0)
        root.error("admin",
                   fmt::format("listens on the same address as server, {}; give admin.listen another",
                               to_string(config.listen)));
}

void check_loops(yaml::MapReader& root, const GatewayConfig& config) {
    const std::string& host = config.listen.host;
    const bool local = is_loopback(host) || host == "0.0.0.0" || host == "::";
    for (std::size_t i = 0; i < config.backends.size(); ++i) {
        const auto& url = config.backends[i].url;
        if (url.port == config.listen.port && (url.host == host || (local && is_loopback(url.host))))
            root.error(path_of("backends", i),
                       fmt::format("{} is this gateway itself: each request would come back to it",
                                   to_string(config.listen)));
    }
}

/// The same resource twice, with the same deployments: one quota counted as two.
void check_same_backend(yaml::MapReader& root, const std::vector<BackendConfig>& backends) {
    for (std::size_t i = 0; i < backends.size(); ++i) {
        const auto& b = backends[i];
        const auto same = std::find_if(
            backends.begin(), backends.begin() + static_cast<std::ptrdiff_t>(i), [&](const auto& other) {
                return !b.url.host.empty() && b.url == other.url && b.deployment == other.deployment &&
                       b.deployments == other.deployments;
            });
        if (same == backends.begin() + static_cast<std::ptrdiff_t>(i)) continue;
        warn_at(root, "backends", i, "url",
                fmt::format("is the same resource with the same deployments as {}: they share one quota, "
                            "and what one is refused is asked of the other in vain",
                            path_of("backends", static_cast<std::size_t>(same - backends.begin()))));
    }
}

void check_teams(yaml::MapReader& root, const GatewayConfig& config) {
    if (config.teams.empty()) return;
    std::vector<std::string_view> names;
    for (const auto& team : config.teams) names.emplace_back(team.name);
    for (std::size_t i = 0; i < config.clients.size(); ++i) {
        const auto& team = config.clients[i].team;
        if (team.empty() || std::find(names.begin(), names.end(), team) != names.end()) continue;
        warn_at(root, "clients", i, "team",
                fmt::format("{} is not in teams, so it has no limits{}", team, did_you_mean(team, names)));
    }
}

/// A client may ask for what no backend serves: certain only where each backend says what it does.
void check_deployments(yaml::MapReader& root, const GatewayConfig& config) {
    const auto says = [](const BackendConfig& b) { return !b.models.empty(); };
    if (config.backends.empty() || !std::all_of(config.backends.begin(), config.backends.end(), says)) return;
    std::vector<std::string_view> names;
    for (const auto& backend : config.backends) {
        names.insert(names.end(), backend.models.begin(), backend.models.end());
        for (const auto& [name, target] : backend.deployments) names.emplace_back(name);
    }
    for (std::size_t i = 0; i < config.clients.size(); ++i) {
        for (const auto& deployment : config.clients[i].deployments) {
            const bool served = std::any_of(config.backends.begin(), config.backends.end(),
                                            [&](const auto& b) { return serves(b, deployment); });
            if (served) continue;
            warn_at(root, "clients", i, "deployments",
                    fmt::format("{} is served by no backend{}", deployment, did_you_mean(deployment, names)));
        }
    }
}

/// Whether requests for `model` are priced: by its name, or by that without a version's date.
bool is_priced(const GatewayConfig& config, std::string_view model) {
    return std::any_of(config.prices.begin(), config.prices.end(), [&](const auto& price) {
        return model == price.first || (model.starts_with(price.first) && model.size() > price.first.size() &&
                                        model[price.first.size()] == '-');
    });
}

void check_prices(yaml::MapReader& root, const GatewayConfig& config) {
    bool budgets = has_budget(config.users.limits);
    for (const auto& client : config.clients) budgets = budgets || has_budget(client.limits);
    for (const auto& team : config.teams) budgets = budgets || has_budget(team.limits);
    if (!budgets) return;
    if (config.prices.empty())
        return root.error("prices", "are needed for the budgets that are set: give the prices of the models");
    std::vector<std::string_view> names;
    for (const auto& [name, price] : config.prices) names.emplace_back(name);
    const auto check = [&](std::string_view list, std::size_t at, std::string_view key, const auto& models) {
        for (const std::string& model : models) {
            if (model.find_first_of("*?[") != std::string::npos || is_priced(config, model)) continue;
            warn_at(root, list, at, key,
                    fmt::format("{} has no price, so budgets do not count it{}", model,
                                did_you_mean(model, names)));
        }
    };
    for (std::size_t i = 0; i < config.clients.size(); ++i)
        check("clients", i, "deployments", config.clients[i].deployments);
    for (std::size_t i = 0; i < config.backends.size(); ++i)
        check("backends", i, "models", config.backends[i].models);
}

void check_keyless_clients(yaml::MapReader& root, const GatewayConfig& config) {
    if (config.identity.has_tokens() || !config.identity.headers.client.empty()) return;
    for (std::size_t i = 0; i < config.clients.size(); ++i) {
        const auto& client = config.clients[i];
        const bool named = !(client.claim.empty() && client.header.empty());
        if (client.keys.empty() && client.certificates.empty() && named)
            root.error("clients", fmt::format("{} has no key, and identity names no other way to know it",
                                              path_of("clients", i)));
    }
}

void check_certificates(yaml::MapReader& root, const GatewayConfig& config) {
    if (config.tls && !config.tls->client_ca.empty()) return;
    for (std::size_t i = 0; i < config.clients.size(); ++i)
        if (!config.clients[i].certificates.empty())
            error_at(
                root, "clients", i, "certificates",
                "needs server.tls.client_ca, a PEM file with the authorities that vouch for certificates");
}

/// A body that no budget has room for would be told for ever to come again.
void check_memory(yaml::MapReader& root, const LimitsConfig& limits) {
    if (limits.memory_bytes == 0 || limits.memory_bytes >= limits.max_body_bytes) return;
    if (const auto section = root.map("limits"))
        yaml::MapReader(root.context(), *section)
            .warning("memory", "is less than max_body: a larger body is never taken, and gets 503");
}

}  // namespace

void check_together(yaml::MapReader& root, const GatewayConfig& config) {
    if (root.is_empty_list("backends")) root.error("backends", "needs at least one backend with a url");
    check_listeners(root, config);
    check_loops(root, config);
    check_memory(root, config.limits);
    check_same_backend(root, config.backends);
    check_keyless_clients(root, config);
    check_certificates(root, config);
    check_rules(root, config);
    check_teams(root, config);
    check_deployments(root, config);
    check_prices(root, config);
}

}  // namespace spillway::config
