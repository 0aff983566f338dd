// Bifrost: docs.getbifrost.ai/deployment-guides/config-json/schema-reference.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/strings.hpp"
#include "migrate/read.hpp"

namespace spillway::migrate {
namespace {

constexpr std::string_view kEnv = "env.";

/// A text, or what the API shows of one: `{value, env_var, from_env}`.
std::optional<std::string> value_of(Section& from, std::string_view key) {
    const auto item = from.item(key);
    if (!item.node.IsDefined() || !item.node.IsMap()) return from.text(key);
    Section map(from.notes(), item);
    const auto variable = map.text("env_var");
    const auto value = map.text("value");
    map.ignore({"from_env"});
    map.finish();
    if (!variable || variable->empty()) return value;
    return variable->starts_with(kEnv) ? *variable : fmt::format("{}{}", kEnv, *variable);
}

KeyRef key_of_value(Section& from, std::string_view key) {
    const auto value = value_of(from, key);
    return value ? key_of(*value, kEnv, from.line_of(key), from.path_of(key)) : KeyRef{};
}

std::string url_text(Input& in, Section& from, std::string_view key) {
    const auto value = value_of(from, key);
    if (!value || value->empty()) return {};
    if (!value->starts_with(kEnv)) return *value;
    return url_of(in, std::string_view(*value).substr(kEnv.size()), from.line_of(key), from.path_of(key));
}

/// Clients ask for `azure/gpt-4o` or, where only one provider has it, for `gpt-4o`.
void serve(BackendDraft& out, const std::string& provider, const std::string& model,
           const std::string& target) {
    out.serve(model, target);
    out.serve(fmt::format("{}/{}", provider, model), target);
}

void read_models(Section& key, Section& azure, const std::string& provider, BackendDraft& out) {
    std::map<std::string, std::string> targets;
    for (auto* from : {&key, &azure})
        for (const auto* name : {"aliases", "deployments"})
            for (auto& [model, target] : from->map(name).pairs())
                if (auto text = target.text()) targets.emplace(model, *text);
    const auto models = key.texts("models");
    const bool all = models.empty() || std::find(models.begin(), models.end(), "*") != models.end();
    for (const auto& model : models) {
        const auto target = targets.find(model);
        if (model != "*") serve(out, provider, model, target == targets.end() ? model : target->second);
    }
    if (all) {
        out.models.clear();
        for (const auto& [model, target] : targets) {
            out.deployments.emplace(model, target);
            out.deployments.emplace(fmt::format("{}/{}", provider, model), target);
        }
        key.note("models",
                 fmt::format("are all: clients ask for others without {}/ in front", shown(provider)));
    } else {
        for (const auto& [model, target] : targets) serve(out, provider, model, target);
    }
    key.no_equal("blacklisted_models", "say in models what it serves");
}

void read_network(Input& in, Section network, BackendDraft& out) {
    if (const auto time = network.number("default_request_timeout_in_seconds")) out.first_token = *time;
    if (const auto time = network.number("stream_idle_timeout_in_seconds")) out.stall = *time;
    if (const auto n = network.whole("max_retries")) {
        const auto attempts = std::min<std::uint64_t>(*n, 999) + 1;
        in.draft.max_attempts = std::max(in.draft.max_attempts.value_or(0), attempts);
    }
    if (network.flag("insecure_skip_verify")) out.verify = false;
    network.no_equal(
        {"retry_backoff_initial", "retry_backoff_max", "retry_backoff_initial_ms", "retry_backoff_max_ms"},
        "another backend is asked at once");
    network.no_equal("extra_headers", "fields are not added to a request");
    network.no_equal("ca_cert_pem", "put it into a file, and name that in tls.ca_file");
    network.no_equal("max_conns_per_host",
                     "connections are as many as requests; max_idle_connections are kept");
    network.finish();
}

void read_auth(Section& azure, BackendDraft& out) {
    const auto secret = key_of_value(azure, "client_secret");
    const auto plain = [&](std::string_view key) -> std::string {
        const auto value = value_of(azure, key);
        if (!value || !value->starts_with(kEnv)) return value.value_or("");
        azure.note(key, "comes from the environment: the gateway reads AZURE_TENANT_ID and AZURE_CLIENT_ID");
        return "";
    };
    const auto tenant = plain("tenant_id");
    const auto client = plain("client_id");
    if (out.key.given()) return;
    out.auth.kind = secret.given() ? "client_secret" : "entra";
    out.auth.tenant = secret.given() ? tenant : "";
    out.auth.client_id = client;
    out.auth.client_secret = secret;
    if (!secret.given()) azure.note_here("has no key: the gateway's own identity is used (auth: entra)");
}

void read_key(Input& in, const std::string& provider, const Item& item, const Item& network) {
    Section key(in.notes, item);
    BackendDraft out;
    out.line = item.line();
    out.path = item.path;
    out.name = key.text("name").value_or("");
    out.key = key_of_value(key, "value");
    out.weight = key.number("weight");
    auto azure = key.map("azure_key_config");
    if (key.text("enabled") == "false") return key.note_here("is switched off; left out");
    Section net(in.notes, network);
    const auto base = url_text(in, net, "base_url");
    if (provider == "azure") {
        const auto parts = split_url(url_text(in, azure, "endpoint"));
        out.url = parts.url.empty() ? base : parts.url;
        out.kind = "azure";
        read_auth(azure, out);
        azure.ignore({"api_version"});  // clients name it, or ask for /openai/v1, which takes none
        azure.no_equal("scopes", "auth.scope says one");
    } else {
        out.url = base.empty() ? "https://api.openai.com/v1" : base;
        while (out.url.ends_with('/')) out.url.pop_back();
        if (!base.empty() && !out.url.ends_with("/v1")) out.url += "/v1";
        out.kind = "openai";
    }
    read_models(key, azure, provider, out);
    read_network(in, std::move(net), out);
    azure.finish();
    key.ignore({"id", "description", "config_hash", "enabled"});
    key.no_equal("use_for_batch_api", "batches go to any backend, and stay where they are");
    key.finish();
    in.draft.backends.push_back(std::move(out));
}

void read_provider(Input& in, const std::string& name, const Item& item) {
    Section provider(in.notes, item);
    auto custom = provider.map("custom_provider_config");
    const auto base = custom.text("base_provider_type");
    custom.ignore({"allowed_requests", "is_key_less"});
    custom.finish();
    const auto type = base.value_or(name);
    constexpr std::string_view alike[]{"openai", "azure", "vllm", "sgl", "ollama", "groq", "openrouter"};
    const bool listed = std::find(std::begin(alike), std::end(alike), type) != std::end(alike);
    const auto network = provider.item("network_config");
    const bool placed =
        network.node.IsDefined() && network.node.IsMap() && network.node["base_url"].IsDefined();
    if (!listed || (type != "openai" && type != "azure" && !placed))
        return provider.note_here(
            "has no equal: neither Azure OpenAI nor an endpoint like OpenAI's; left out");
    auto keys = provider.list("keys");
    for (const auto& key : keys) read_key(in, name, key, network);
    if (keys.empty()) provider.note_here("has no keys, so no backend came of it");
    provider.no_equal({"concurrency_and_buffer_size", "send_back_raw_response", "send_back_raw_request",
                       "proxy_config", "pricing_overrides", "openai_config"},
                      "");
    provider.finish();
}

/// `1m`, `1h`, `1d`, `1w`, `1M` of a limit.
void set_limit(Section& from, std::string_view limit, std::string_view period, bool tokens,
               LimitsDraft& out) {
    const auto most = from.whole(limit);
    const auto length = from.text(period);
    if (!most || !length) return;
    constexpr std::pair<std::string_view, std::string_view> periods[]{
        {"1h", "hour"}, {"60m", "hour"}, {"1d", "day"},   {"24h", "day"},
        {"1w", "week"}, {"7d", "week"},  {"1M", "month"}, {"30d", "month"}};
    const auto known = std::find_if(std::begin(periods), std::end(periods),
                                    [&](const auto& p) { return p.first == *length; });
    if (*length == "1m" || *length == "60s")
        (tokens ? out.tokens_per_minute : out.requests_per_minute) = *most;
    else if (tokens && known != std::end(periods))
        out.tokens.emplace(known->second, *most);
    else
        from.note(limit,
                  "has no equal: limits are of tokens in a minute, hour, day, week or month, and of "
                  "requests in a minute");
}

class Governance {
public:
    explicit Governance(Input& in, Section section) : in_(in), section_(std::move(section)) {
        for (const auto& item : section_.list("rate_limits")) {
            Section one(in.notes, item);
            LimitsDraft limits;
            set_limit(one, "token_max_limit", "token_reset_duration", true, limits);
            set_limit(one, "request_max_limit", "request_reset_duration", false, limits);
            one.ignore(
                {"token_current_usage", "token_last_reset", "request_current_usage", "request_last_reset"});
            if (const auto id = one.text("id")) limits_.emplace(*id, limits);
            one.finish();
        }
        section_.no_equal("budgets", "give limits.budget to the client, and prices");
        for (const auto& item : section_.list("teams")) team(item);
        for (const auto& item : section_.list("virtual_keys")) key(item);
        section_.no_equal("customers", "teams are one level: clients name their team");
        section_.no_equal("auth_config", "admin.token guards the admin listener");
        section_.no_equal({"routing_rules", "model_configs"}, "");
        section_.finish();
    }

private:
    LimitsDraft limits_of(Section& one) {
        one.no_equal({"budget_id", "budget", "budgets"}, "give limits.budget, and prices");
        const auto id = one.text("rate_limit_id");
        const auto at = limits_.find(id.value_or(""));
        return at == limits_.end() ? LimitsDraft{} : at->second;
    }

    void team(const Item& item) {
        Section one(in_.notes, item);
        TeamDraft out;
        const auto id = one.text("id");
        out.name = as_name(one.text("name").value_or(id.value_or("")));
        out.limits = limits_of(one);
        one.no_equal("customer_id", "teams are one level");
        if (id) teams_.emplace(*id, out.name);
        one.finish();
        in_.draft.teams.push_back(std::move(out));
    }

    void key(const Item& item) {
        Section one(in_.notes, item);
        ClientDraft out;
        const auto id = one.text("id");
        out.name = one.text("name").value_or(id.value_or(""));
        out.key = key_of_value(one, "value");
        const auto team = teams_.find(one.text("team_id").value_or(""));
        if (team != teams_.end()) out.team = team->second;
        out.limits = limits_of(one);
        one.ignore({"description", "created_at", "updated_at"});
        one.no_equal("customer_id", "clients name their team");
        const auto providers = one.list("provider_configs");
        bool unbound = false;
        for (const auto& provider : providers) unbound = provider_of(provider, out) || unbound;
        for (auto& model : one.texts("allowed_models")) allow(out, "", model);
        if (unbound) out.deployments.clear();
        const bool nothing = !providers.empty() && !unbound && out.deployments.empty();
        if (nothing) one.note_here("may use no provider that became a backend, so no client came of it");
        one.no_equal({"mcp_configs", "keys", "allowed_providers"}, "");
        const bool off = one.text("is_active") == "false";
        if (!out.key.given()) one.note_here("has no value, so no client came of it");
        if (off) one.note_here("is switched off; left out");
        one.finish();
        if (!off && !nothing) in_.draft.clients.push_back(std::move(out));
    }

    /// True if the key may use whatever is asked for.
    bool provider_of(const Item& item, ClientDraft& out) {
        Section one(in_.notes, item);
        const auto provider = one.text("provider").value_or("");
        const auto models = one.texts("allowed_models");
        for (const auto& model : models) allow(out, provider, model);
        bool unbound = false;
        if (models.empty() || std::find(models.begin(), models.end(), "*") != models.end())
            for (const auto& backend : in_.draft.backends) {
                unbound = unbound || backend.models.empty();
                for (const auto& name : backend.models)
                    if (name.starts_with(provider + '/'))
                        allow(out, provider, name.substr(provider.size() + 1));
            }
        if (unbound) one.note("allowed_models", "are all, as a backend serves whatever is asked for");
        one.ignore({"provider"});
        one.no_equal({"weight", "keys", "key_ids", "rate_limit_id", "budget_id", "rate_limit", "budget"},
                     "backends and their weights are the same for all clients");
        one.finish();
        return unbound;
    }

    static void allow(ClientDraft& out, const std::string& provider, const std::string& model) {
        if (model == "*") return;
        out.deployments.push_back(model);
        if (!provider.empty()) out.deployments.push_back(fmt::format("{}/{}", provider, model));
    }

    Input& in_;
    Section section_;
    std::map<std::string, LimitsDraft> limits_;
    std::map<std::string, std::string> teams_;
};

}  // namespace

void read_bifrost(Input& in, const Item& item) {
    Section root(in.notes, item);
    for (auto& [name, provider] : root.map("providers").pairs()) read_provider(in, name, provider);
    if (in.draft.max_attempts)
        in.notes.add(0, "network_config.max_retries",
                     "becomes retry.max_attempts, for all backends together");
    Governance governance(in, root.map("governance"));
    root.no_equal("client", "see limits and log in docs/configuration.md");
    root.no_equal({"config_store", "logs_store"},
                  "the file is the configuration; ledger keeps what was used");
    root.no_equal("vector_store", "answers are not cached");
    root.no_equal({"plugins", "mcp", "guardrails_config", "framework", "websocket", "cluster_config"}, "");
    root.no_equal("encryption_key", "keys are not stored");
    root.ignore({"$schema", "version"});
    root.finish();
}

}  // namespace spillway::migrate
