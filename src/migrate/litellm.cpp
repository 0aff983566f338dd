// LiteLLM: docs.litellm.ai/docs/proxy/config_settings. Settings of the whole; models are in
// litellm_models.cpp.
#include "migrate/litellm.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"

namespace spillway::migrate {
namespace litellm {
namespace {

constexpr std::string_view kEnv = "os.environ/";
constexpr std::string_view kNoCache = "answers are not cached";
constexpr std::string_view kNoCallbacks = "logs and metrics go elsewhere, see docs/operations.md";

/// `[{a: [b, c]}]`
void read_fallbacks(Section& from, std::string_view key, Settings& out) {
    for (const auto& item : from.list(key)) {
        Section groups(from.notes(), item);
        for (auto& [group, targets] : groups.pairs()) {
            std::vector<std::string> names;
            if (auto one = targets.text()) names.push_back(std::move(*one));
            if (targets.node.IsSequence()) {
                for (const auto& node : targets.node) {
                    if (node.IsScalar()) {
                        names.push_back(node.Scalar());
                        continue;
                    }
                    Section one(from.notes(), {node, targets.path});
                    if (auto name = one.text("model")) names.push_back(std::move(*name));
                    one.finish();
                }
            }
            out.fallbacks.emplace_back(group, std::move(names));
        }
    }
}

/// What both router_settings and litellm_settings may say.
void read_shared(Input& in, Section& from, Settings& out) {
    if (const auto retries = from.whole("num_retries")) {
        in.draft.max_attempts = std::min<std::uint64_t>(*retries, 999) + 1;
        from.note("num_retries",
                  "becomes retry.max_attempts, the first attempt included; without it there would be "
                  "one for each backend and one more");
    }
    if (const auto time = from.number("cooldown_time")) in.draft.cool_down = *time;
    for (const auto* key : {"request_timeout", "timeout"})
        if (const auto time = from.number(key)) in.draft.request_timeout = *time;
    from.no_equal("allowed_fails", "a backend's circuit breaker decides by what it answers");
    from.no_equal("allowed_fails_policy", "a backend's circuit breaker decides by what it answers");
    read_fallbacks(from, "fallbacks", out);
    for (auto& name : from.texts("default_fallbacks")) out.default_fallbacks.push_back(std::move(name));
    from.no_equal({"context_window_fallbacks", "content_policy_fallbacks"},
                  "a request goes to another backend when one cannot serve it, not for what is asked");
}

void read_redis(Input& in, Section& from) {
    const auto value = [&](std::string_view key) -> std::string {
        const auto text = from.text(key);
        if (!text || !text->starts_with(kEnv)) return text.value_or("");
        const auto set = in.env(text->substr(kEnv.size()));
        if (!set) from.note(key, "comes from a variable that is not set here: write it into redis.url");
        return set.value_or("redis.invalid");
    };
    const auto good = [](std::string_view text, std::string_view more) {
        return !text.empty() && text.size() < 254 && std::all_of(text.begin(), text.end(), [&](char c) {
            const char l = ascii_lower(c);
            return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
        });
    };
    auto host = value("redis_host");
    auto port = from.has("redis_port") ? value("redis_port") : std::string("6379");
    const bool tls = from.flag("redis_ssl");
    const auto password = from.text("redis_password");
    from.no_equal("redis_url", "give its parts in redis.url and redis.password_env");
    if (host.empty()) return;
    if (!good(host, ".-") || host.front() == '-')
        return from.note("redis_host", "is no host's name; left out");
    const auto number = parse_int<std::uint16_t>(port);
    if (!number || *number == 0) port = "6379";
    in.draft.redis_url = fmt::format("{}://{}:{}/0", tls ? "rediss" : "redis", host, port);
    if (password)
        in.draft.redis_password =
            key_of(*password, kEnv, from.line_of("redis_password"), from.path_of("redis_password"));
    from.note("redis_host", "becomes redis: the replicas' shared limits of clients, not of backends");
}

void read_router(Input& in, Section router, Settings& out) {
    read_shared(in, router, out);
    read_redis(in, router);
    router.no_equal({"routing_strategy", "routing_strategy_args"},
                    "of the backends of one priority each is used by its weight, as long as it has quota");
    for (auto& [alias, group] : router.map("model_group_alias").pairs()) {
        auto target = group.text();
        if (!target && group.node.IsMap()) {
            Section map(in.notes, group);
            target = map.text("model");
            map.finish();
        }
        if (target) out.aliases.emplace(alias, *target);
    }
    router.no_equal({"retry_policy", "model_group_retry_policy", "retry_after"},
                    "what can be retried is, and at once at another backend");
    router.no_equal({"enable_pre_call_checks", "optional_pre_call_checks"}, "");
    router.finish();
}

void read_general(Input& in, Section general) {
    if (const auto key = general.text("master_key")) {
        ClientDraft client;
        client.name = "master";
        client.key = key_of(*key, kEnv, general.line_of("master_key"), general.path_of("master_key"));
        in.draft.clients.push_back(std::move(client));
        general.note("master_key",
                     "becomes the client `master`; to see and drain backends takes admin.token instead");
    }
    general.no_equal(
        {"database_url", "store_model_in_db", "database_connection_pool_limit"},
        "virtual keys, teams and models that are kept there become clients, teams and backends of "
        "this file; see `spillway usage` and ledger for what was used");
    general.no_equal({"global_max_parallel_requests", "max_parallel_requests"},
                     "each client may have limits.concurrency");
    general.no_equal("custom_auth", "clients are known by keys, tokens or a trusted proxy: docs/identity.md");
    general.no_equal({"enable_jwt_auth", "litellm_jwtauth"}, "say it in identity: docs/identity.md");
    general.no_equal({"alerting", "alerting_threshold", "alert_types"}, kNoCallbacks);
    general.finish();
}

void read_library(Input& in, Section library, Settings& out) {
    read_shared(in, library, out);
    out.entra = library.flag("enable_azure_ad_token_refresh");
    library.no_equal({"cache", "cache_params"}, kNoCache);
    library.no_equal({"callbacks", "success_callback", "failure_callback", "service_callback"}, kNoCallbacks);
    library.no_equal({"drop_params", "modify_params"}, "a request goes to the backend as it is");
    library.no_equal({"max_budget", "budget_duration"}, "give clients limits.budget, with prices");
    library.ignore({"set_verbose", "json_logs"});
    library.finish();
}

Credentials read_credentials(Input& in, Section& root) {
    Credentials out;
    for (const auto& item : root.list("credential_list")) {
        Section one(in.notes, item);
        const auto name = one.text("credential_name");
        one.ignore({"credential_info"});
        if (name) out.emplace(*name, one.item("credential_values"));
        one.finish();
    }
    return out;
}

}  // namespace

void read_settings(Input& in, Section& root, Settings& out) {
    read_library(in, root.map("litellm_settings"), out);
    read_router(in, root.map("router_settings"), out);
    read_general(in, root.map("general_settings"));
    root.no_equal("environment_variables", "set them where the gateway starts; none was copied");
    root.no_equal("include", "import those files by themselves");
    root.no_equal({"guardrails", "mcp_servers", "vector_store_registry"}, "");
}

}  // namespace litellm

void read_litellm(Input& in, const Item& item) {
    Section root(in.notes, item);
    litellm::Settings settings;
    litellm::read_settings(in, root, settings);
    const auto credentials = litellm::read_credentials(in, root);
    litellm::read_models(in, root, settings, credentials);
    litellm::apply_groups(in, settings);
    root.finish();
}

}  // namespace spillway::migrate
