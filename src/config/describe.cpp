#include "config/describe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "config/listen.hpp"
#include "config/units.hpp"

namespace spillway::config {
namespace {

class Lines {
public:
    template <class... Args>
    void add(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
        text_ += '\n';
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
};

std::string key_text(const Secret& key) {
    return key.empty() ? "none" : fmt::format("{}", key);
}

std::string or_automatic(std::uint64_t n, std::string_view automatic) {
    return n == 0 ? std::string(automatic) : std::to_string(n);
}

template <class T>
void describe_periods(Lines& out, std::string_view what, const PerPeriod<T>& p) {
    if (p == PerPeriod<T>{}) return;
    const auto one = [](std::string_view name, T value) {
        return value == T{} ? std::string() : fmt::format(" {} {},", name, value);
    };
    auto text = one("hour", p.hour) + one("day", p.day) + one("week", p.week) + one("month", p.month);
    text.pop_back();
    out.add("  {}:{}", what, text);
}

void describe_limits(Lines& out, const QuotaConfig& q) {
    if (q.tokens_per_minute != 0 || q.requests_per_minute != 0 || q.concurrency != 0)
        out.add("  limits: {} tokens and {} requests per minute, {} at once",
                or_automatic(q.tokens_per_minute, "unlimited"),
                or_automatic(q.requests_per_minute, "unlimited"), or_automatic(q.concurrency, "unlimited"));
    describe_periods(out, "tokens per", q.tokens);
    describe_periods(out, "budget per", q.budget);
    if (q.shadow) out.add("  shadow: counts, refuses nothing");
}

void describe_server(Lines& out, const GatewayConfig& c) {
    out.add("server: {}://{}, threads: {}", c.tls ? "https" : "http", to_string(c.listen),
            or_automatic(c.threads, "one per core"));
    if (c.tls) out.add("  tls: cert {}, key {}", c.tls->cert_file, c.tls->key_file);
    if (c.admin.enabled)
        out.add("admin: http://{}, token: {}", to_string(c.admin.listen), key_text(c.admin.token));
    else
        out.add("admin: off");
    out.add("log: access {}", c.access_log.path == "-" ? "to standard output" : c.access_log.path);
    if (c.clients.empty()) out.add("clients: anyone who can connect");
    for (const auto& client : c.clients) {
        out.add("client {}: {} key{}", client.name, client.keys.size(), client.keys.size() == 1 ? "" : "s");
        if (!client.claim.empty() || !client.header.empty())
            out.add("  known as: claim {}, header {}", client.claim.empty() ? client.name : client.claim,
                    client.header.empty() ? client.name : client.header);
        if (!client.team.empty()) out.add("  team: {}", client.team);
        if (!client.deployments.empty()) out.add("  deployments: {}", fmt::join(client.deployments, ", "));
        if (client.priority != PriorityClass::normal) out.add("  priority: {}", to_string(client.priority));
        describe_limits(out, client.limits);
    }
}

void describe_quotas(Lines& out, const GatewayConfig& c) {
    for (const auto& team : c.teams) {
        out.add("team {}:", team.name);
        describe_limits(out, team.limits);
    }
    if (c.users != UsersConfig{}) {
        out.add("users: {}", c.users.field ? "also by the body's user" : "by token or header");
        describe_limits(out, c.users.limits);
    }
    if (const auto& jwt = c.identity.jwt; jwt.enabled())
        out.add("tokens: keys {}, secret {}, issuer {}, audience {}, client by {}",
                jwt.jwks_file.empty() ? "none" : jwt.jwks_file, key_text(jwt.secret),
                jwt.issuer.empty() ? "any" : jwt.issuer, jwt.audience.empty() ? "any" : jwt.audience,
                jwt.client_claim);
    if (const auto& h = c.identity.headers; h != TrustedHeadersConfig{})
        out.add("headers: client {}, user {}, team {}, from {}", h.client.empty() ? "-" : h.client,
                h.user.empty() ? "-" : h.user, h.team.empty() ? "-" : h.team, fmt::join(h.proxies, ", "));
    if (const auto& w = c.weights; w != WeightsConfig{})
        out.add("weights: prompt {}, cached {}, completion {}, reasoning {}", w.prompt, w.cached,
                w.completion, w.reasoning);
    for (const auto& [model, p] : c.prices)
        out.add("price of {}: prompt {}, cached {}, completion {} per million tokens", model, p.prompt,
                p.cached, p.completion);
    if (c.fairness != FairnessConfig{})
        out.add("fairness: {} tokens per minute, {} requests in flight",
                or_automatic(c.fairness.tokens_per_minute, "unlimited"),
                or_automatic(c.fairness.concurrency, "unlimited"));
    if (!c.ledger.empty()) out.add("ledger: {}", c.ledger);
    if (const auto& r = c.redis; r.enabled())
        out.add("redis: {}://{}:{}/{}, password: {}, prefix {}, every {}, timeout {}",
                r.tls ? "rediss" : "redis", r.host, r.port, r.database, key_text(r.password), r.prefix,
                format_duration(r.interval), format_duration(r.timeout));
}

void describe_backend(Lines& out, const BackendConfig& b) {
    out.add("backend {}: {}", b.name, b.url.to_string());
    out.add("  priority: {}, weight: {}, kind: {}{}", b.priority, b.weight, to_string(b.kind),
            b.ptu ? ", provisioned (PTU)" : "");
    if (b.api_key.empty())
        out.add("  api_key: none");
    else
        out.add("  api_key: {} (sent as {})", b.api_key,
                b.key_style == KeyStyle::api_key ? "api-key" : "Authorization: Bearer");
    if (!b.deployment.empty()) out.add("  deployment: {} for every request", b.deployment);
    for (const auto& [from, to] : b.deployments) out.add("  deployment: {} -> {}", from, to);
    if (b.tpm || b.rpm)
        out.add("  quota: {} tokens and {} requests per minute", or_automatic(b.tpm.value_or(0), "unknown"),
                or_automatic(b.rpm.value_or(0), "unknown"));
    out.add("  timeouts: connect {}, first byte {}, idle {}", format_duration(b.timeouts.connect),
            format_duration(b.timeouts.first_byte), format_duration(b.timeouts.idle));
    if (b.url.tls)
        out.add("  tls: {}, CA {}, name {}", b.tls.verify ? "verified" : "not verified",
                b.tls.ca_file.empty() ? "of the system" : b.tls.ca_file,
                b.tls.server_name.empty() ? b.url.host : b.tls.server_name);
    out.add("  max_idle_connections: {} per thread", b.max_idle_connections);
}

void describe_rules(Lines& out, const GatewayConfig& c) {
    const auto& r = c.retry;
    out.add(
        "retry: at most {} attempts, budget {} per request with {} saved up, cool-down {} (at most {}), "
        "wait for quota at most {}",
        c.max_attempts(), r.budget.ratio, r.budget.burst, format_duration(r.default_cool_down),
        format_duration(r.max_cool_down), format_duration(r.max_wait));
    out.add("affinity: prompt cache {}", c.affinity.prompt_cache ? "on" : "off");
    out.add("stream: late commit {}, preamble up to {}, usage {}", c.stream.late_commit ? "on" : "off",
            format_size(c.stream.max_preamble_bytes), c.stream.include_usage ? "asked for" : "not asked for");
    const auto& l = c.limits;
    out.add("limits: head {}, body {}, held answer {}, connections {}", format_size(l.max_head_bytes),
            format_size(l.max_body_bytes), format_size(l.max_answer_buffer_bytes),
            or_automatic(l.max_connections, "unlimited"));
    out.add("  timeouts: head {}, body {}, keep-alive {}, write {}, request {}",
            format_duration(l.head_timeout), format_duration(l.body_timeout),
            format_duration(l.keep_alive_timeout), format_duration(l.write_timeout),
            format_duration(l.request_timeout));
}

void describe_deployment(Lines& out, const EmulatedDeployment& d) {
    if (d.kind == DeploymentKind::ptu)
        out.add("  deployment {} ({}): provisioned, drains {} tokens per minute", d.name, d.model,
                d.ptu_tokens_per_minute);
    else
        out.add("  deployment {} ({}): {} tokens per {} and {} requests per minute in windows of {}", d.name,
                d.model, d.tpm, format_duration(d.token_window), d.rpm, format_duration(d.request_window));
    out.add("    first token after {} +- {}, then {} tokens per second (jitter {})",
            format_duration(d.latency.ttft), format_duration(d.latency.ttft_jitter),
            d.latency.tokens_per_second, d.latency.jitter);
    out.add("    estimate: characters / {} + max_tokens (or {})", d.estimate.chars_per_token,
            d.estimate.default_output_tokens);
}

}  // namespace

std::string_view to_string(PriorityClass priority) noexcept {
    switch (priority) {
        case PriorityClass::low:
            return "low";
        case PriorityClass::high:
            return "high";
        case PriorityClass::normal:
            break;
    }
    return "normal";
}

std::string describe(const GatewayConfig& config) {
    Lines out;
    describe_server(out, config);
    describe_quotas(out, config);
    std::vector<const BackendConfig*> backends;
    backends.reserve(config.backends.size());
    for (const auto& b : config.backends) backends.push_back(&b);
    std::stable_sort(backends.begin(), backends.end(),
                     [](const auto* a, const auto* b) { return a->priority < b->priority; });
    for (const auto* b : backends) describe_backend(out, *b);
    describe_rules(out, config);
    return out.take();
}

std::string describe(const EmulatorConfig& config) {
    Lines out;
    out.add("admin: http://{}, seed: {}", to_string(ListenConfig{config.host, config.admin_port}),
            config.seed);
    for (const auto& r : config.resources) {
        out.add("{}: http://{}", r.name, to_string(ListenConfig{config.host, r.port}));
        out.add("  region: {}, api keys: {}, bearer tokens: {}", r.region,
                r.api_keys.empty() ? "any" : std::to_string(r.api_keys.size()),
                r.accept_bearer ? "accepted" : "refused");
        for (const auto& d : r.deployments) describe_deployment(out, d);
    }
    return out.take();
}

}  // namespace spillway::config
