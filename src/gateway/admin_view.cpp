#include "gateway/admin_view.hpp"

#include <fmt/format.h>

#include "api/json_text.hpp"
#include "config/describe.hpp"
#include "identity/client_keys.hpp"
#include "quota/client_price.hpp"
#include "telemetry/text.hpp"

namespace spillway::gateway {

namespace {

/// Of a key's SHA-256: enough to tell keys apart, of no use to find one.
constexpr std::size_t kDigestDigits = 8;

void append_string(std::string& out, std::string_view key, std::string_view value) {
    fmt::format_to(std::back_inserter(out), "\"{}\":", key);
    api::append_json_string(out, value);
}

template <class T>
void append_optional(std::string& out, std::string_view key, const std::optional<T>& value) {
    if (value)
        fmt::format_to(std::back_inserter(out), "\"{}\":{},", key, *value);
    else
        fmt::format_to(std::back_inserter(out), "\"{}\":null,", key);
}

void append_list(std::string& out, std::string_view key, const std::vector<std::string>& values) {
    fmt::format_to(std::back_inserter(out), "\"{}\":[", key);
    for (const std::string& value : values) {
        if (out.back() != '[') out += ',';
        api::append_json_string(out, value);
    }
    out += ']';
}

/// State, and for what is not available: until when, as a time stamp and as seconds from now.
void append_state(std::string& out, routing::BackendView::State state, Duration left, Wall now) {
    append_string(out, "state", routing::to_string(state));
    if (left <= Duration::zero()) {
        out += ",\"until\":null,\"seconds_left\":0";
        return;
    }
    out += ",\"until\":\"";
    telemetry::Rfc3339().append(out, now + left);
    fmt::format_to(std::back_inserter(out), "\",\"seconds_left\":{:.3f}", to_seconds(left));
}

void append_deployment(std::string& out, const routing::BackendView::Deployment& d, Wall now) {
    out += '{';
    append_string(out, "name", d.name);
    out += ',';
    append_state(out, d.state, d.until, now);
    out += ',';
    append_optional(out, "tpm", d.tpm);
    append_optional(out, "rpm", d.rpm);
    append_optional(out, "remaining_tokens", d.remaining_tokens);
    append_optional(out, "remaining_requests", d.remaining_requests);
    fmt::format_to(std::back_inserter(out),
                   "\"tokens_reset_seconds\":{:.3f},\"requests_reset_seconds\":{:.3f},"
                   "\"reserved_tokens\":{},\"in_flight\":{}}}",
                   to_seconds(d.tokens_reset), to_seconds(d.requests_reset), d.reserved_tokens, d.in_flight);
}

void append_backend(std::string& out, const config::BackendConfig& config, const routing::BackendView& b,
                    Wall now) {
    out += '{';
    append_string(out, "name", b.name);
    out += ',';
    append_string(out, "url", config.url.to_string());
    out += ',';
    append_state(out, b.state, b.until, now);
    out += ',';
    append_string(out, "reason", b.reason);
    out += ',';
    append_string(out, "mode", routing::to_string(b.mode));
    const double first_byte_ms = 1000 * to_seconds(b.first_byte_total);
    fmt::format_to(
        std::back_inserter(out),
        ",\"priority\":{},\"weight\":{},\"in_flight\":{},\"served\":{},\"throttled\":{},"
        "\"failed\":{},\"spilled\":{},\"avoided\":{:.3f},\"tokens\":{},\"first_byte_ms_total\":{:.3f},"
        "\"deployments\":[",
        b.priority, b.weight, b.in_flight, b.served, b.throttled, b.failed, b.spilled, b.avoided, b.tokens,
        first_byte_ms);
    for (const auto& d : b.deployments) {
        if (out.back() != '[') out += ',';
        append_deployment(out, d, now);
    }
    out += "]}";
}

template <class Limit>
void append_limit(std::string& out, std::string_view name, Limit& limit, double unit, quota::Now now) {
    if (limit.limit() == 0) return;
    fmt::format_to(std::back_inserter(out), ",\"{}\":{{\"limit\":{},\"used\":{},\"shared\":{}}}", name,
                   static_cast<double>(limit.limit()) * unit,
                   static_cast<double>(limit.used_everywhere(now)) * unit, limit.shared());
}

}  // namespace

void append_backends(std::string& out, const config::GatewayConfig& config,
                     const std::vector<routing::BackendView>& views, Wall now) {
    out += '[';
    for (std::size_t i = 0; i < views.size(); ++i) {
        if (i > 0) out += ',';
        append_backend(out, config.backends[i], views[i], now);
    }
    out += ']';
}

void append_clients(std::string& out, const quota::ClientQuotas& quotas) {
    const auto now = quota::read_clocks();
    out += '[';
    quotas.each([&](quota::Subject& s) {
        out += out.back() == '[' ? "{" : ",{";
        append_string(out, "kind", quota::to_string(s.kind()));
        out += ',';
        append_string(out, "name", s.name());
        fmt::format_to(std::back_inserter(out),
                       ",\"in_flight\":{},\"tokens_last_minute\":{},\"refused\":{},\"shadow\":{},"
                       "\"shadow_refused\":{}",
                       s.in_flight().used_here(now), s.tokens().used_here(now), s.refusals(), s.shadow(),
                       s.shadow_refusals());
        append_limit(out, "tokens_per_minute", s.tokens(), 1, now);
        append_limit(out, "requests_per_minute", s.requests(), 1, now);
        append_limit(out, "concurrency", s.in_flight(), 1, now);
        for (const quota::Period p : quota::kPeriods) {
            append_limit(out, fmt::format("tokens_{}", quota::to_string(p)), s.period_tokens(p), 1, now);
            append_limit(out, fmt::format("budget_{}", quota::to_string(p)), s.period_cost(p),
                         quota::kMoneyUnit, now);
        }
        out += '}';
    });
    out += ']';
}

void append_totals(std::string& out, const std::vector<routing::BackendView>& views, const Answers& answers,
                   std::int64_t in_flight) {
    std::uint64_t throttled = 0;
    std::uint64_t spilled = 0;
    double avoided = 0;
    for (const auto& b : views) {
        throttled += b.throttled;
        spilled += b.spilled;
        avoided += b.avoided;
    }
    fmt::format_to(std::back_inserter(out),
                   "{{\"in_flight\":{},\"served\":{},\"limited\":{},\"no_quota\":{},\"refused\":{},"
                   "\"failed\":{},\"left\":{},\"spilled\":{},\"throttled\":{},\"avoided\":{:.3f}}}",
                   in_flight, answers.served.value(), answers.limited.value(), answers.no_quota.value(),
                   answers.refused.value(), answers.failed.value(), answers.left.value(), spilled, throttled,
                   avoided);
}

std::string config_json(const config::GatewayConfig& config, std::string_view version) {
    std::string out = "{";
    append_string(out, "version", version);
    out += ',';
    append_string(out, "text", config::describe(config));
    fmt::format_to(std::back_inserter(out), ",\"ledger\":{},\"anonymous\":{},\"clients\":[",
                   !config.ledger.empty(), config.clients.empty());
    for (const config::ClientConfig& client : config.clients) {
        out += out.back() == '[' ? "{" : ",{";
        append_string(out, "name", client.name);
        std::vector<std::string> keys;
        keys.reserve(client.keys.size());
        for (const auto& key : client.keys) keys.push_back(identity::to_hex(key).substr(0, kDigestDigits));
        out += ',';
        append_list(out, "keys", keys);
        out += ',';
        append_string(out, "claim", client.claim);
        out += ',';
        append_string(out, "team", client.team);
        out += ',';
        append_string(out, "priority", config::to_string(client.priority));
        out += ',';
        append_list(out, "deployments", client.deployments);
        out += '}';
    }
    out += "]}\n";
    return out;
}

}  // namespace spillway::gateway
