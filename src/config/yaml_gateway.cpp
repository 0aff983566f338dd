#include <fmt/format.h>

#include "config/listen.hpp"
#include "config/yaml.hpp"
#include "config/yaml_sections.hpp"

namespace spillway::config {
namespace yaml {

void read_listen(MapReader& reader, std::string_view key, ListenConfig& out) {
    const auto text = reader.scalar(key, "expected an address and a port, such as 127.0.0.1:8080");
    if (!text) return;
    auto listen = parse_listen(*text);
    if (!listen) return reader.error(key, listen.error().message);
    out = std::move(*listen);
}

bool is_empty_list(MapReader& reader, std::string_view key) {
    const auto item = reader.any(key);
    return !item || item->node.IsNull() || (item->node.IsSequence() && item->node.size() == 0);
}

namespace {

void read_server_tls(MapReader& server, std::optional<ServerTls>& out) {
    const auto item = server.map("tls");
    if (!item) return;
    MapReader reader(server.context(), *item);
    ServerTls tls;
    reader.path("cert", tls.cert_file);
    reader.path("key", tls.key_file);
    check_readable(reader, "cert", tls.cert_file);
    check_readable(reader, "key", tls.key_file);
    if (reader.valid() && !reader.has("cert")) reader.error_here("needs cert, a PEM file");
    if (reader.valid() && !reader.has("key")) reader.error_here("needs key, a PEM file");
    reader.finish();
    out = std::move(tls);
}

void read_server(MapReader& root, GatewayConfig& out) {
    const auto item = root.map("server");
    if (!item) return;
    MapReader reader(root.context(), *item);
    read_listen(reader, "listen", out.listen);
    reader.whole<std::uint32_t>("threads", out.threads, 0, 1024);
    read_server_tls(reader, out.tls);
    reader.finish();
}

void read_admin(MapReader& root, AdminConfig& out) {
    const auto item = root.map("admin");
    if (!item) return;
    MapReader reader(root.context(), *item);
    reader.boolean("enabled", out.enabled);
    read_listen(reader, "listen", out.listen);
    const bool token_given = reader.has("token") || reader.has("token_env") || reader.has("token_file");
    if (auto token = reader.secret("token")) out.token = std::move(*token);
    if (out.enabled && !token_given && !is_loopback(out.listen.host))
        reader.warning("listen", "lets anyone who can connect see the backends and clients; set a token");
    reader.finish();
}

void read_size_limits(MapReader& root, LimitsConfig& out) {
    const auto item = root.map("limits");
    if (!item) return;
    MapReader reader(root.context(), *item);
    constexpr std::size_t kKiB = 1024;
    constexpr std::size_t kMiB = 1024 * kKiB;
    reader.size("max_head", out.max_head_bytes, 1 * kKiB, 1 * kMiB);
    reader.size("max_body", out.max_body_bytes, 1 * kKiB, 1024 * kMiB);
    reader.size("max_answer_buffer", out.max_answer_buffer_bytes, 0, 1024 * kMiB);
    reader.whole<std::size_t>("max_connections", out.max_connections, 0, 10'000'000);
    reader.duration("head_timeout", out.head_timeout);
    reader.duration("body_timeout", out.body_timeout);
    reader.duration("keep_alive_timeout", out.keep_alive_timeout);
    reader.duration("write_timeout", out.write_timeout);
    reader.duration("request_timeout", out.request_timeout);
    reader.finish();
}

void read_retry(MapReader& root, RetryConfig& out) {
    const auto item = root.map("retry");
    if (!item) return;
    MapReader reader(root.context(), *item);
    reader.whole<std::uint32_t>("max_attempts", out.max_attempts, 0, 1000);
    if (const auto inner = reader.map("budget")) {
        MapReader budget(root.context(), *inner);
        budget.real("ratio", out.budget.ratio, 0, 100);
        budget.whole<std::uint32_t>("burst", out.budget.burst, 0, 1'000'000'000);
        budget.finish();
    }
    reader.duration("default_cool_down", out.default_cool_down);
    reader.duration("max_cool_down", out.max_cool_down);
    reader.duration("max_wait", out.max_wait, Duration::zero());
    if (out.default_cool_down > out.max_cool_down)
        reader.error(reader.has("default_cool_down") ? "default_cool_down" : "max_cool_down",
                     "default_cool_down is longer than max_cool_down, which caps it");
    reader.finish();
}

void read_affinity(MapReader& root, AffinityConfig& out) {
    const auto item = root.map("affinity");
    if (!item) return;
    MapReader reader(root.context(), *item);
    reader.boolean("prompt_cache", out.prompt_cache);
    reader.finish();
}

void read_stream(MapReader& root, StreamConfig& out) {
    const auto item = root.map("stream");
    if (!item) return;
    MapReader reader(root.context(), *item);
    reader.boolean("late_commit", out.late_commit);
    reader.size("max_preamble", out.max_preamble_bytes, 1024, std::size_t{64} * 1024 * 1024);
    reader.boolean("include_usage", out.include_usage);
    reader.finish();
}

void read_log(MapReader& root, AccessLogConfig& out) {
    const auto item = root.map("log");
    if (!item) return;
    MapReader reader(root.context(), *item);
    std::string access;
    reader.text("access", access);
    if (access == "-" || access == "off")
        out.path = access;
    else if (!access.empty())
        out.path = root.context().resolve(access);
    reader.finish();
}

bool has_budget(const QuotaConfig& limits) {
    return limits.budget != PerPeriod<double>{};
}

/// Names and settings that only make sense together.
void check_quotas(MapReader& root, const GatewayConfig& config) {
    const bool named_elsewhere = config.identity.jwt.enabled() || !config.identity.headers.client.empty();
    bool budgets = has_budget(config.users.limits);
    for (std::size_t i = 0; i < config.clients.size(); ++i) {
        const auto& client = config.clients[i];
        const auto path = fmt::format("clients[{}]", i);
        budgets = budgets || has_budget(client.limits);
        if (client.keys.empty() && !(client.claim.empty() && client.header.empty()) && !named_elsewhere)
            root.error("clients",
                       fmt::format("{} has no key, and identity names no other way to know it", path));
    }
    for (const auto& team : config.teams) budgets = budgets || has_budget(team.limits);
    if (budgets && config.prices.empty())
        root.error("prices", "are needed for the budgets that are set: give the prices of the models");
}

/// What no single key is to blame for.
void check_whole(MapReader& root, const GatewayConfig& config) {
    if (is_empty_list(root, "backends")) root.error("backends", "needs at least one backend with a url");
    if (is_empty_list(root, "clients") && !config.allow_anonymous && !is_loopback(config.listen.host))
        root.error("clients",
                   fmt::format("needs at least one client, as server.listen ({}) is open to other machines; "
                               "or set allow_anonymous: true to serve anyone",
                               to_string(config.listen)));
    if (config.admin.enabled && config.listen == config.admin.listen && config.listen.port != 0)
        root.error("admin",
                   fmt::format("listens on the same address as server, {}; give admin.listen another",
                               to_string(config.listen)));
    check_quotas(root, config);
}

}  // namespace
}  // namespace yaml

Loaded<GatewayConfig> load_gateway(std::string_view text, std::string file_name, const Sources& sources) {
    yaml::Context context(text, std::move(file_name), sources);
    GatewayConfig config;
    if (const auto document = yaml::parse(text, context)) {
        yaml::MapReader root(context, {*document, ""});
        yaml::read_server(root, config);
        yaml::read_admin(root, config.admin);
        yaml::read_log(root, config.access_log);
        yaml::read_clients(root, config.clients);
        root.boolean("allow_anonymous", config.allow_anonymous);
        yaml::read_backends(root, config.backends);
        yaml::read_retry(root, config.retry);
        yaml::read_affinity(root, config.affinity);
        yaml::read_stream(root, config.stream);
        yaml::read_size_limits(root, config.limits);
        yaml::read_teams(root, config.teams);
        yaml::read_users(root, config.users);
        yaml::read_identity(root, config.identity);
        yaml::read_weights(root, config.weights);
        yaml::read_prices(root, config.prices);
        yaml::read_fairness(root, config.fairness);
        yaml::read_ledger(root, config.ledger);
        yaml::read_redis(root, config.redis);
        root.finish();
        if (root.valid()) yaml::check_whole(root, config);
    }
    Loaded<GatewayConfig> out;
    if (!context.failed()) out.value = std::move(config);
    out.problems = context.take_problems();
    return out;
}

}  // namespace spillway::config
