#include "gateway/admin_schema.hpp"

#include <fmt/format.h>

#include <array>
#include <concepts>

#include "base/hex.hpp"
#include "config/describe.hpp"
#include "gateway/key_view.hpp"
#include "quota/client_price.hpp"
#include "telemetry/text.hpp"
#include "telemetry/usage_report.hpp"

namespace spillway::gateway::schema {
namespace {

using View = routing::BackendView;
using State = View::State;

constexpr std::array kStates{State::available, State::throttled, State::failed,  State::unauthorized,
                             State::probing,   State::draining,  State::disabled};
constexpr std::array kModes{routing::Mode::on, routing::Mode::draining, routing::Mode::off};
constexpr std::array kKinds{quota::SubjectKind::client, quota::SubjectKind::user, quota::SubjectKind::team,
                            quota::SubjectKind::key};
constexpr std::array kRoles{config::AdminRole::viewer, config::AdminRole::operate, config::AdminRole::manage};
constexpr std::array kKeyStates{KeyState::active, KeyState::expired, KeyState::revoked};

/// Of a key's SHA-256: enough to tell keys apart, of no use to find one.
constexpr std::size_t kDigestDigits = 8;

void until(JsonWriter& w, Duration left, Wall now) {
    if (left <= Duration::zero()) {
        w.null();
        return;
    }
    std::string stamp;
    telemetry::Rfc3339().append(stamp, now + left);
    w.text(stamp);
}

void seconds(JsonWriter& w, Duration d) {
    w.number(to_seconds(std::max(d, Duration::zero())), 3);
}

void list(JsonWriter& w, const std::vector<std::string>& values) {
    w.open_list();
    for (const std::string& value : values) w.text(value);
    w.close_list();
}

using D = DeploymentRow;
constexpr std::array kDeployment{
    JsonField<D>{"name", "string", "The backend's own name for it.",
                 [](JsonWriter& w, const D& d) { w.value(d.view.name); }},
    JsonField<D>{"state", "State", "", [](JsonWriter& w, const D& d) { w.value(to_string(d.view.state)); }},
    JsonField<D>{"until", "string | null", "When its cool-down ends.",
                 [](JsonWriter& w, const D& d) { until(w, d.view.until, d.now); }},
    JsonField<D>{"seconds_left", "number", "Of its cool-down.",
                 [](JsonWriter& w, const D& d) { seconds(w, d.view.until); }},
    JsonField<D>{"tpm", "number | null", "Tokens a minute: configured or learned.",
                 [](JsonWriter& w, const D& d) { w.value(d.view.tpm); }},
    JsonField<D>{"rpm", "number | null", "Requests a minute: configured or learned.",
                 [](JsonWriter& w, const D& d) { w.value(d.view.rpm); }},
    JsonField<D>{"tokens_window_seconds", "number", "How long the window is that tokens are counted in.",
                 [](JsonWriter& w, const D& d) { seconds(w, d.view.tokens_window); }},
    JsonField<D>{"requests_window_seconds", "number", "The same of requests; often 10 s.",
                 [](JsonWriter& w, const D& d) { seconds(w, d.view.requests_window); }},
    JsonField<D>{"remaining_tokens", "number | null", "Of the current window.",
                 [](JsonWriter& w, const D& d) { w.value(d.view.remaining_tokens); }},
    JsonField<D>{"remaining_requests", "number | null", "Of the current window.",
                 [](JsonWriter& w, const D& d) { w.value(d.view.remaining_requests); }},
    JsonField<D>{"tokens_reset_seconds", "number", "Until all tokens are there again.",
                 [](JsonWriter& w, const D& d) { seconds(w, d.view.tokens_reset); }},
    JsonField<D>{"requests_reset_seconds", "number", "Until all requests are there again.",
                 [](JsonWriter& w, const D& d) { seconds(w, d.view.requests_reset); }},
    JsonField<D>{"reserved_tokens", "number", "For requests in flight.",
                 [](JsonWriter& w, const D& d) { w.value(d.view.reserved_tokens); }},
    JsonField<D>{"in_flight", "number", "", [](JsonWriter& w, const D& d) { w.value(d.view.in_flight); }},
    JsonField<D>{"most_in_flight", "number | null", "What it sustains, while it has been asked for more.",
                 [](JsonWriter& w, const D& d) { w.value(d.view.most_in_flight); }},
};

using B = BackendRow;
constexpr std::array kBackend{
    JsonField<B>{"name", "string", "", [](JsonWriter& w, const B& b) { w.value(b.view.name); }},
    JsonField<B>{"url", "string", "", [](JsonWriter& w, const B& b) { w.value(b.config.url.to_string()); }},
    JsonField<B>{"state", "State", "", [](JsonWriter& w, const B& b) { w.value(to_string(b.view.state)); }},
    JsonField<B>{"until", "string | null", "When its cool-down ends.",
                 [](JsonWriter& w, const B& b) { until(w, b.view.until, b.now); }},
    JsonField<B>{"seconds_left", "number", "Of its cool-down.",
                 [](JsonWriter& w, const B& b) { seconds(w, b.view.until); }},
    JsonField<B>{"reason", "string", "Why it is not available; empty when it is.",
                 [](JsonWriter& w, const B& b) { w.value(b.view.reason); }},
    JsonField<B>{"mode", "Mode", "What the operator wants of it.",
                 [](JsonWriter& w, const B& b) { w.value(to_string(b.view.mode)); }},
    JsonField<B>{"auth", "string", "Who the gateway is to it, see docs/identity.md.",
                 [](JsonWriter& w, const B& b) { w.value(config::to_string(b.config.auth.kind)); }},
    JsonField<B>{"no_credential", "string", "Why there is no token for it yet; empty when there is one.",
                 [](JsonWriter& w, const B& b) { w.value(b.lack); }},
    JsonField<B>{"priority", "number", "Lower goes first.",
                 [](JsonWriter& w, const B& b) { w.value(b.view.priority); }},
    JsonField<B>{"weight", "number", "Its share within its priority.",
                 [](JsonWriter& w, const B& b) { w.value(b.view.weight); }},
    JsonField<B>{"in_flight", "number", "", [](JsonWriter& w, const B& b) { w.value(b.view.in_flight); }},
    JsonField<B>{"served", "number", "Attempts answered, since the start.",
                 [](JsonWriter& w, const B& b) { w.value(b.view.served); }},
    JsonField<B>{"throttled", "number", "Attempts answered with 429.",
                 [](JsonWriter& w, const B& b) { w.value(b.view.throttled); }},
    JsonField<B>{"failed", "number", "Attempts that failed otherwise.",
                 [](JsonWriter& w, const B& b) { w.value(b.view.failed); }},
    JsonField<B>{"spilled", "number", "Of those served: spilled over to here from another.",
                 [](JsonWriter& w, const B& b) { w.value(b.view.spilled); }},
    JsonField<B>{"avoided", "number", "429s that would have been met here without the quota's mirror.",
                 [](JsonWriter& w, const B& b) { w.number(b.view.avoided, 3); }},
    JsonField<B>{"tokens", "number", "That served answers used, as far as they said.",
                 [](JsonWriter& w, const B& b) { w.value(b.view.tokens); }},
    JsonField<B>{"first_byte_ms_total", "number", "Of the served answers together.",
                 [](JsonWriter& w, const B& b) { w.number(1000 * to_seconds(b.view.first_byte_total), 3); }},
    JsonField<B>{"deployments", "Deployment[]", "Those asked for so far.",
                 [](JsonWriter& w, const B& b) {
                     w.open_list();
                     for (const auto& d : b.view.deployments) write_fields<D>(w, {d, b.now}, kDeployment);
                     w.close_list();
                 }},
};

using L = LimitRow;
constexpr std::array kLimit{
    JsonField<L>{"limit", "number", "", [](JsonWriter& w, const L& l) { w.value(l.limit); }},
    JsonField<L>{"used", "number", "Of it, by all replicas.",
                 [](JsonWriter& w, const L& l) { w.value(l.used); }},
    JsonField<L>{"shared", "boolean", "Held together with other replicas.",
                 [](JsonWriter& w, const L& l) { w.value(l.shared); }},
};

using C = ClientRow;
auto* minute_tokens(const C& c) {
    return &c.subject.tokens();
}
auto* minute_requests(const C& c) {
    return &c.subject.requests();
}
auto* in_flight(const C& c) {
    return &c.subject.in_flight();
}
template <quota::Period P>
auto* tokens_in(const C& c) {
    return c.subject.token_limit(P);
}
template <quota::Period P>
auto* budget_in(const C& c) {
    return c.subject.cost_limit(P);
}

/// A limit that may not be set, and is left out then; what is counted in money is told in the currency.
template <auto Of, bool Money = false>
constexpr JsonField<C> limit_row(std::string_view name, std::string_view help) {
    return {name, "Limit", help,
            [](JsonWriter& w, const C& c) {
                auto& limit = *Of(c);
                constexpr double unit = Money ? quota::kMoneyUnit : 1;
                const LimitRow row{static_cast<double>(limit.limit()) * unit,
                                   static_cast<double>(limit.used_everywhere(c.now)) * unit, limit.shared()};
                write_fields<LimitRow>(w, row, kLimit);
            },
            [](const C& c) { return Of(c) != nullptr && Of(c)->limit() != 0; }};
}

using quota::Period;
constexpr std::array kClient{
    JsonField<C>{"kind", "Kind", "", [](JsonWriter& w, const C& c) { w.value(to_string(c.subject.kind())); }},
    JsonField<C>{"name", "string", "", [](JsonWriter& w, const C& c) { w.value(c.subject.name()); }},
    JsonField<C>{"client", "string", "Whose user it is, if that client's requests name it.",
                 [](JsonWriter& w, const C& c) { w.value(c.subject.owner()); },
                 [](const C& c) { return !c.subject.owner().empty(); }},
    JsonField<C>{"in_flight", "number", "",
                 [](JsonWriter& w, const C& c) { w.value(c.subject.in_flight().used_here(c.now)); }},
    JsonField<C>{"tokens_last_minute", "number", "Weighted, as limits count them.",
                 [](JsonWriter& w, const C& c) { w.value(c.subject.tokens().used_here(c.now)); }},
    JsonField<C>{"refused", "number", "By its own limits, since the start.",
                 [](JsonWriter& w, const C& c) { w.value(c.subject.refusals()); }},
    JsonField<C>{"shadow", "boolean", "Its limits refuse nothing.",
                 [](JsonWriter& w, const C& c) { w.value(c.subject.shadow()); }},
    JsonField<C>{"shadow_refused", "number", "What they would have refused.",
                 [](JsonWriter& w, const C& c) { w.value(c.subject.shadow_refusals()); }},
    limit_row<&minute_tokens>("tokens_per_minute", "Weighted tokens."),
    limit_row<&minute_requests>("requests_per_minute", ""),
    limit_row<&in_flight>("concurrency", "Requests in flight."),
    limit_row<&tokens_in<Period::hour>>("tokens_hour", "Weighted tokens."),
    limit_row<&budget_in<Period::hour>, true>("budget_hour", "In the currency of the prices."),
    limit_row<&tokens_in<Period::day>>("tokens_day", ""),
    limit_row<&budget_in<Period::day>, true>("budget_day", ""),
    limit_row<&tokens_in<Period::week>>("tokens_week", ""),
    limit_row<&budget_in<Period::week>, true>("budget_week", ""),
    limit_row<&tokens_in<Period::month>>("tokens_month", ""),
    limit_row<&budget_in<Period::month>, true>("budget_month", ""),
};

using T = TotalsRow;
template <class Number>
Number sum(const T& t, Number View::*of) {
    Number total{};
    for (const View& view : t.backends) total += view.*of;
    return total;
}
constexpr std::array kTotals{
    JsonField<T>{"in_flight", "number", "", [](JsonWriter& w, const T& t) { w.value(t.in_flight); }},
    JsonField<T>{"served", "number", "Answered well, since the start (as all below).",
                 [](JsonWriter& w, const T& t) { w.value(t.answers.served.value()); }},
    JsonField<T>{"limited", "number", "429 or 403: the client's own limits.",
                 [](JsonWriter& w, const T& t) { w.value(t.answers.limited.value()); }},
    JsonField<T>{"no_quota", "number", "429: all backends are out of quota.",
                 [](JsonWriter& w, const T& t) { w.value(t.answers.no_quota.value()); }},
    JsonField<T>{"refused", "number", "Another 4xx.",
                 [](JsonWriter& w, const T& t) { w.value(t.answers.refused.value()); }},
    JsonField<T>{"failed", "number", "5xx.",
                 [](JsonWriter& w, const T& t) { w.value(t.answers.failed.value()); }},
    JsonField<T>{"left", "number", "The client went away first.",
                 [](JsonWriter& w, const T& t) { w.value(t.answers.left.value()); }},
    JsonField<T>{"spilled", "number", "Of all backends.",
                 [](JsonWriter& w, const T& t) { w.value(sum(t, &View::spilled)); }},
    JsonField<T>{"throttled", "number", "429s met at backends.",
                 [](JsonWriter& w, const T& t) { w.value(sum(t, &View::throttled)); }},
    JsonField<T>{"avoided", "number", "429s not met at backends.",
                 [](JsonWriter& w, const T& t) { w.number(sum(t, &View::avoided), 3); }},
};

using K = config::ClientConfig;
constexpr std::array kConfigClient{
    JsonField<K>{"name", "string", "", [](JsonWriter& w, const K& c) { w.value(c.name); }},
    JsonField<K>{"keys", "string[]", "How the SHA-256 of each begins.",
                 [](JsonWriter& w, const K& c) {
                     w.open_list();
                     for (const auto& key : c.keys) w.text(to_hex(key).substr(0, kDigestDigits));
                     w.close_list();
                 }},
    JsonField<K>{"claim", "string", "", [](JsonWriter& w, const K& c) { w.value(c.claim); }},
    JsonField<K>{"team", "string", "", [](JsonWriter& w, const K& c) { w.value(c.team); }},
    JsonField<K>{"priority", "string", "",
                 [](JsonWriter& w, const K& c) { w.value(config::to_string(c.priority)); }},
    JsonField<K>{"deployments", "string[]", "It may use; none: all.",
                 [](JsonWriter& w, const K& c) { list(w, c.deployments); }},
};

using G = ConfigRow;
constexpr std::array kConfiguration{
    JsonField<G>{"version", "string", "", [](JsonWriter& w, const G& g) { w.value(g.version); }},
    JsonField<G>{"role", "Role", "Of who asks: what the page may offer.",
                 [](JsonWriter& w, const G& g) { w.value(config::to_string(g.role)); }},
    JsonField<G>{"text", "string", "What the configuration resolves to, without secrets.",
                 [](JsonWriter& w, const G& g) { w.value(config::describe(g.config)); }},
    JsonField<G>{"ledger", "boolean", "There is a ledger.",
                 [](JsonWriter& w, const G& g) { w.value(!g.config.ledger.empty()); }},
    JsonField<G>{"store", "boolean", "There is a store, which keeps what is changed here.",
                 [](JsonWriter& w, const G& g) { w.value(g.config.store.enabled()); }},
    JsonField<G>{"anonymous", "boolean", "No client is configured: anyone may ask.",
                 [](JsonWriter& w, const G& g) { w.value(g.config.clients.empty()); }},
    JsonField<G>{"clients", "ConfigClient[]", "",
                 [](JsonWriter& w, const G& g) {
                     w.open_list();
                     for (const K& client : g.config.clients) write_fields<K>(w, client, kConfigClient);
                     w.close_list();
                 }},
};

using S = SessionRow;
constexpr std::array kSession{
    JsonField<S>{"name", "string", "Of the person or token; empty: nobody who is known.",
                 [](JsonWriter& w, const S& s) { w.value(s.name); }},
    JsonField<S>{"role", "string", "viewer, operator, admin; empty: none.",
                 [](JsonWriter& w, const S& s) { w.value(s.role); }},
    JsonField<S>{"by", "\"oidc\" | \"token\" | \"open\" | \"nothing\"",
                 "How it is known; open: anyone may do all; nothing: it is not.",
                 [](JsonWriter& w, const S& s) { w.value(s.by); }},
    JsonField<S>{"log_in", "boolean", "There is a log-in: GET login.",
                 [](JsonWriter& w, const S& s) { w.value(s.log_in); }},
};

using M = ModeChangeRow;
constexpr std::array kModeChange{
    JsonField<M>{"mode", "Mode", "In use at once.", [](JsonWriter& w, const M& m) { w.value(m.mode); }},
    JsonField<M>{"kept", "boolean", "For a restart, and for all who share the store.",
                 [](JsonWriter& w, const M& m) { w.value(m.not_kept.empty()); }},
    JsonField<M>{"why", "string", "It is not kept.", [](JsonWriter& w, const M& m) { w.value(m.not_kept); },
                 [](const M& m) { return !m.not_kept.empty(); }},
};

/// Written and read by config/key_settings.hpp.
constexpr std::string_view kKeySettings = R"(
export interface PerPeriod {
  hour?: number;
  day?: number;
  week?: number;
  month?: number;
}

export interface KeyLimits {
  /** Weighted tokens. */
  tokens_per_minute?: number;
  requests_per_minute?: number;
  concurrency?: number;
  tokens?: PerPeriod;
  /** In the currency of the prices. */
  budget?: PerPeriod;
  /** They refuse nothing. */
  shadow?: boolean;
}

export interface KeySettings {
  /** Whose it is. */
  client: string;
  team?: string;
  name?: string;
  note?: string;
  /** It may ask for; none: all. */
  deployments?: string[];
  limits?: KeyLimits;
}
)";

template <class Enum, std::size_t N>
void append_union(std::string& out, std::string_view name, const std::array<Enum, N>& values) {
    fmt::format_to(std::back_inserter(out), "export type {} =", name);
    for (const Enum value : values)
        fmt::format_to(std::back_inserter(out), "{} \"{}\"", value == values.front() ? "" : " |",
                       to_string(value));
    out += ";\n";
}

void append_member(std::string& out, std::string_view name, bool optional, std::string_view type,
                   std::string_view help) {
    if (!help.empty()) fmt::format_to(std::back_inserter(out), "  /** {} */\n", help);
    fmt::format_to(std::back_inserter(out), "  {}{}: {};\n", name, optional ? "?" : "", type);
}

template <class From>
void append_interface(std::string& out, std::string_view name, std::span<const JsonField<From>> fields) {
    fmt::format_to(std::back_inserter(out), "\nexport interface {} {{\n", name);
    for (const auto& f : fields) append_member(out, f.name, f.present != nullptr, f.type, f.help);
    out += "}\n";
}

}  // namespace

std::span<const JsonField<BackendRow>> backend() noexcept {
    return kBackend;
}
std::span<const JsonField<ClientRow>> client() noexcept {
    return kClient;
}
std::span<const JsonField<TotalsRow>> totals() noexcept {
    return kTotals;
}
std::span<const JsonField<ConfigRow>> configuration() noexcept {
    return kConfiguration;
}
std::span<const JsonField<SessionRow>> session() noexcept {
    return kSession;
}
std::span<const JsonField<ModeChangeRow>> mode_change() noexcept {
    return kModeChange;
}

std::string typescript() {
    std::string out =
        "// What the admin plane answers. Made by scripts/generate from src/gateway/admin_schema.cpp and\n"
        "// src/telemetry/usage_report.cpp: change those, not this.\n\n";
    append_union(out, "State", kStates);
    append_union(out, "Mode", kModes);
    append_union(out, "Kind", kKinds);
    append_union(out, "Role", kRoles);
    append_union(out, "KeyState", kKeyStates);
    append_interface<D>(out, "Deployment", kDeployment);
    append_interface<B>(out, "Backend", kBackend);
    append_interface<L>(out, "Limit", kLimit);
    append_interface<C>(out, "Client", kClient);
    append_interface<T>(out, "Totals", kTotals);
    out +=
        "\nexport interface Live {\n  time: string;\n  totals: Totals;\n  backends: Backend[];\n"
        "  clients: Client[];\n}\n";
    append_interface<K>(out, "ConfigClient", kConfigClient);
    append_interface<G>(out, "Configuration", kConfiguration);
    append_interface<S>(out, "Session", kSession);
    append_interface<M>(out, "ModeChange", kModeChange);
    append_interface<KeySecretView>(out, "KeySecret", key_secret_fields());
    out += kKeySettings;
    append_interface<KeyView>(out, "Key", key_fields());
    out += "\nexport interface UsageRow {\n";
    for (const telemetry::UsageField& f : telemetry::usage_fields())
        append_member(out, f.name, f.key, f.key ? "string" : f.nullable ? "number | null" : "number", f.help);
    out += "}\n";
    return out;
}

}  // namespace spillway::gateway::schema
