// The draft as the gateway's file.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "config/units.hpp"
#include "config/value.hpp"
#include "migrate/draft.hpp"

namespace spillway::migrate {
namespace {

using config::Value;

Value whole(std::uint64_t n) {
    return Value::scalar(fmt::format("{}", n));
}

Value seconds(double n) {
    const auto time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(n));
    return Value::scalar(config::format_duration(time));
}

/// In quotes where YAML could take it for something else than a text.
Value text(std::string_view s) {
    const bool digits = s.find_first_not_of("0123456789.-+eE_:") == std::string_view::npos;
    return digits ? Value::json_text(s) : Value::quoted(s);
}

Value list(const std::vector<std::string>& texts) {
    Value out = Value::list();
    for (const auto& s : texts) out.add({}, text(s));
    return out;
}

void add_key(Value& to, std::string_view key, const KeyRef& ref) {
    if (!ref.env.empty()) to.add(fmt::format("{}_env", key), text(ref.env));
}

Value auth(const AuthDraft& a) {
    if (a.tenant.empty() && a.client_id.empty() && a.client_secret.env.empty()) return text(a.kind);
    Value out = Value::map();
    out.add("kind", text(a.kind));
    if (!a.tenant.empty()) out.add("tenant", text(a.tenant));
    if (!a.client_id.empty()) out.add("client_id", text(a.client_id));
    add_key(out, "client_secret", a.client_secret);
    return out;
}

Value limits(const LimitsDraft& l) {
    Value out = Value::map();
    if (l.tokens_per_minute) out.add("tokens_per_minute", whole(*l.tokens_per_minute));
    if (l.requests_per_minute) out.add("requests_per_minute", whole(*l.requests_per_minute));
    if (l.concurrency) out.add("concurrency", whole(*l.concurrency));
    if (!l.tokens.empty()) {
        Value tokens = Value::map();
        for (const auto& [period, n] : l.tokens) tokens.add(period, whole(n));
        out.add("tokens", std::move(tokens));
    }
    return out;
}

Value client(const ClientDraft& c) {
    Value out = Value::map();
    out.add("name", text(c.name));
    add_key(out, "key", c.key);
    if (!c.team.empty()) out.add("team", text(c.team));
    if (!c.deployments.empty()) out.add("deployments", list(c.deployments));
    if (!c.limits.empty()) out.add("limits", limits(c.limits));
    return out;
}

Value backend(const BackendDraft& b) {
    Value out = Value::map();
    out.add("name", text(b.name));
    out.add("url", Value::json_text(b.url));
    if (!b.kind.empty()) out.add("kind", text(b.kind));
    out.add("priority", whole(b.priority));
    if (b.weight) out.add("weight", whole(static_cast<std::uint64_t>(*b.weight)));
    add_key(out, "api_key", b.key);
    if (!b.auth.kind.empty()) out.add("auth", auth(b.auth));
    if (!b.deployment.empty()) out.add("deployment", text(b.deployment));
    if (!b.deployments.empty()) {
        Value map = Value::map();
        for (const auto& [model, target] : b.deployments) map.add(text(model).text, text(target));
        out.add("deployments", std::move(map));
    }
    if (!b.models.empty()) out.add("models", list(b.models));
    if (b.tpm) out.add("tpm", whole(*b.tpm));
    if (b.rpm) out.add("rpm", whole(*b.rpm));
    if (b.first_token || b.stall) {
        Value timeouts = Value::map();
        if (b.first_token) timeouts.add("first_token", seconds(*b.first_token));
        if (b.stall) timeouts.add("stall", seconds(*b.stall));
        out.add("timeouts", std::move(timeouts));
    }
    if (!b.verify) {
        Value tls = Value::map();
        tls.add("verify", Value::scalar("false"));
        out.add("tls", std::move(tls));
    }
    return out;
}

template <class T, class Show>
void add_list(Value& root, std::string key, const std::vector<T>& items, Show show) {
    if (items.empty()) return;
    Value out = Value::list();
    for (const auto& item : items) out.add({}, show(item));
    root.add(std::move(key), std::move(out));
}

void add_prices(Value& root, const Draft& draft) {
    if (draft.prices.empty()) return;
    const auto price = [](double n) { return Value::scalar(fmt::format("{:.6g}", std::clamp(n, 0.0, 1e5))); };
    Value out = Value::map();
    for (const auto& [model, p] : draft.prices) {
        Value one = Value::map();
        one.add("prompt", price(p.prompt));
        if (p.cached) one.add("cached", price(*p.cached));
        one.add("completion", price(p.completion));
        out.add(text(model).text, std::move(one));
    }
    root.add("prices", std::move(out));
}

void add_retry(Value& root, const Draft& draft) {
    if (!draft.max_attempts && !draft.cool_down) return;
    Value out = Value::map();
    if (draft.max_attempts) out.add("max_attempts", whole(*draft.max_attempts));
    if (draft.cool_down) {
        constexpr double usual_longest = 60;
        out.add("default_cool_down", seconds(*draft.cool_down));
        if (*draft.cool_down > usual_longest) out.add("max_cool_down", seconds(*draft.cool_down));
    }
    root.add("retry", std::move(out));
}

}  // namespace

std::string render(const Draft& draft) {
    Value root = Value::map();
    add_list(root, "clients", draft.clients, client);
    add_list(root, "teams", draft.teams, [](const TeamDraft& t) {
        Value out = Value::map();
        out.add("name", text(t.name));
        if (!t.limits.empty()) out.add("limits", limits(t.limits));
        return out;
    });
    add_prices(root, draft);
    if (!draft.redis_url.empty()) {
        Value redis = Value::map();
        redis.add("url", Value::json_text(draft.redis_url));
        add_key(redis, "password", draft.redis_password);
        root.add("redis", std::move(redis));
    }
    add_list(root, "backends", draft.backends, backend);
    add_retry(root, draft);
    if (draft.request_timeout) {
        Value limits = Value::map();
        limits.add("request_timeout", seconds(*draft.request_timeout));
        root.add("limits", std::move(limits));
    }
    return config::to_yaml(root);
}

}  // namespace spillway::migrate
