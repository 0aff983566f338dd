// What must hold of the whole draft: names, doubles, ranges.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "config/backend.hpp"
#include "migrate/draft.hpp"

namespace spillway::migrate {
namespace {

constexpr double kLongestTime = 24 * 3600.0;

/// Whether the file can say it in one line.
bool is_text(std::string_view text) {
    return !text.empty() && text.size() <= 512 && is_utf8(text) &&
           std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
}

std::string host_of(const std::string& url) {
    const auto parsed = config::parse_backend_url(url);
    if (!parsed) return {};
    if (parsed->host == "api.openai.com") return "openai";
    const auto label = parsed->host.substr(0, parsed->host.find('.'));
    const bool address = label.find_first_not_of("0123456789") == std::string::npos ||
                         parsed->host.find(':') != std::string::npos;
    return address ? "" : as_name(label);
}

std::string free_name(std::string name, std::string_view fallback, std::set<std::string>& taken) {
    if (name.empty()) name = fallback;
    name = name.substr(0, 56);
    std::string out = name;
    for (int n = 2; !taken.insert(out).second; ++n) out = fmt::format("{}-{}", name, n);
    return out;
}

/// Nothing that the file could not say is left in `backend`; false if it cannot be a backend.
bool sound(BackendDraft& backend, Notes& notes) {
    if (const auto url = config::parse_backend_url(backend.url); !url) {
        notes.add(backend.line, backend.path,
                  fmt::format("{}; the backend is left out", url.error().message));
        return false;
    }
    const auto drop = [&](std::string_view what) {
        notes.add(backend.line, backend.path, fmt::format("{} cannot be used as it is; left out", what));
    };
    if (!backend.deployment.empty() && !is_text(backend.deployment)) {
        drop("the deployment's name");
        backend.deployment.clear();
    }
    if (std::erase_if(backend.deployments,
                      [](const auto& d) { return !is_text(d.first) || !is_text(d.second); }) != 0)
        drop("a deployment's name");
    if (std::erase_if(backend.models, [](const auto& m) { return !is_text(m); }) != 0) drop("a model's name");
    if (!backend.deployment.empty()) backend.deployments.clear();
    for (auto* seconds : {&backend.first_token, &backend.stall})
        if (*seconds) *seconds = std::clamp(**seconds, 0.001, kLongestTime);
    if (backend.tpm == 0U) backend.tpm.reset();
    if (backend.rpm == 0U) backend.rpm.reset();
    for (auto* text : {&backend.auth.tenant, &backend.auth.client_id})
        if (!text->empty() && !is_text(*text)) text->clear();
    return true;
}

/// Whether they are one resource, reached alike, so that one backend can serve what both do.
bool joins(const BackendDraft& a, const BackendDraft& b) {
    if (!(*config::parse_backend_url(a.url) == *config::parse_backend_url(b.url)) || a.kind != b.kind ||
        a.priority != b.priority || a.weight != b.weight || !a.key.same(b.key) || !a.auth.same(b.auth) ||
        a.tpm != b.tpm || a.rpm != b.rpm || a.first_token != b.first_token || a.stall != b.stall ||
        a.verify != b.verify || a.deployment != b.deployment || a.models.empty() || b.models.empty())
        return false;
    // One name cannot mean two deployments of a backend.
    const auto means = [](const BackendDraft& x, const std::string& model) {
        const auto at = x.deployments.find(model);
        return at == x.deployments.end() ? model : at->second;
    };
    return std::none_of(b.models.begin(), b.models.end(), [&](const auto& model) {
        return std::find(a.models.begin(), a.models.end(), model) != a.models.end() &&
               means(a, model) != means(b, model);
    });
}

void join(std::vector<BackendDraft>& backends) {
    std::vector<BackendDraft> out;
    for (auto& b : backends) {
        const auto same = std::find_if(out.begin(), out.end(), [&](const auto& a) { return joins(a, b); });
        if (same == out.end()) {
            out.push_back(std::move(b));
            continue;
        }
        for (const auto& model : b.models) same->serve(model, model);
        same->deployments.insert(b.deployments.begin(), b.deployments.end());
    }
    backends = std::move(out);
}

/// Shares become whole numbers from 1 on.
void weigh(std::vector<BackendDraft>& backends, Notes& notes) {
    std::erase_if(backends, [&](const auto& b) {
        const bool none = b.weight && *b.weight <= 0;
        if (none) notes.add(b.line, b.path, "has a weight of 0, so it gets no requests; left out");
        return none;
    });
    const bool fractions = std::any_of(backends.begin(), backends.end(), [](const auto& b) {
        return b.weight && *b.weight != std::floor(*b.weight);
    });
    for (auto& b : backends)
        if (b.weight || fractions)
            b.weight = std::clamp(std::round(b.weight.value_or(1) * (fractions ? 100 : 1)), 1.0, 1e6);
}

void refer(KeyRef& key, std::string_view hint, std::string_view end, std::set<std::string>& taken,
           Notes& notes) {
    if (!key.env.empty() || key.fingerprint == 0) return;
    const auto name = env_name(hint, end);
    key.env = name;
    for (int n = 2; !taken.insert(key.env).second; ++n) key.env = fmt::format("{}_{}", name, n);
    notes.add(key.line, key.path,
              fmt::format("stands in the file itself and was not copied: put it into the environment as {}, "
                          "or into a file that ..._file names",
                          key.env));
}

void bound(LimitsDraft& limits) {
    constexpr std::uint64_t per_minute = 4'000'000'000;
    for (auto* limit : {&limits.tokens_per_minute, &limits.requests_per_minute}) {
        if (*limit) *limit = std::min(**limit, per_minute);
        if (*limit == 0U) limit->reset();
    }
    if (limits.concurrency) limits.concurrency = std::min<std::uint64_t>(*limits.concurrency, 1'000'000'000);
    if (limits.concurrency == 0U) limits.concurrency.reset();
    std::erase_if(limits.tokens, [](const auto& t) { return t.second == 0; });
    for (auto& [period, tokens] : limits.tokens)
        tokens = std::min<std::uint64_t>(tokens, 100'000'000'000'000);
}

}  // namespace

void BackendDraft::serve(const std::string& model, const std::string& target) {
    if (std::find(models.begin(), models.end(), model) == models.end()) models.push_back(model);
    if (model != target) deployments.emplace(model, target);
}

std::string as_name(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, 64)) {
        const char l = ascii_lower(c);
        const bool good =
            (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (good || (!out.empty() && out.back() != '-')) out += good ? c : '-';
    }
    while (!out.empty() && out.back() == '-') out.pop_back();
    return out;
}

std::string env_name(std::string_view hint, std::string_view end) {
    std::string out;
    for (const char c : hint.substr(0, 64)) {
        const char l = ascii_lower(c);
        const bool good = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9');
        out += good ? static_cast<char>(l >= 'a' && l <= 'z' ? l - 'a' + 'A' : c) : '_';
    }
    if (out.empty() || (out[0] >= '0' && out[0] <= '9')) out.insert(0, "KEY_");
    return out + std::string(end);
}

void settle(Draft& draft, Notes& notes) {
    std::erase_if(draft.backends, [&](auto& b) { return !sound(b, notes); });
    join(draft.backends);
    weigh(draft.backends, notes);
    std::set<std::string> names;
    std::set<std::string> variables;
    std::size_t n = 0;
    for (auto& b : draft.backends) {
        auto name = as_name(b.name);
        if (name.empty()) name = host_of(b.url);
        if (names.contains(name) && b.models.size() == 1) name += '-' + as_name(b.models.front());
        b.name = free_name(std::move(name), fmt::format("backend-{}", ++n), names);
        refer(b.key, b.name, "_KEY", variables, notes);
        refer(b.auth.client_secret, b.name, "_CLIENT_SECRET", variables, notes);
    }
    std::set<std::string> client_names;
    for (auto& c : draft.clients) {
        c.name = free_name(as_name(c.name), "client", client_names);
        c.team = as_name(c.team);
        std::erase_if(c.deployments, [](const auto& d) { return !is_text(d); });
        refer(c.key, c.name, "_CLIENT_KEY", variables, notes);
        bound(c.limits);
    }
    std::erase_if(draft.clients, [&](const auto& c) { return !c.key.given(); });
    std::set<std::string> teams;
    for (auto& t : draft.teams) {
        t.name = as_name(t.name);
        bound(t.limits);
    }
    std::erase_if(draft.teams, [&](const auto& t) { return t.name.empty() || !teams.insert(t.name).second; });
    std::erase_if(draft.prices, [](const auto& p) { return !is_text(p.first); });
    refer(draft.redis_password, "redis", "_PASSWORD", variables, notes);
    if (draft.max_attempts) draft.max_attempts = std::clamp<std::uint64_t>(*draft.max_attempts, 1, 1000);
    for (auto* seconds : {&draft.cool_down, &draft.request_timeout})
        if (*seconds) *seconds = std::clamp(**seconds, 0.001, kLongestTime);
}

}  // namespace spillway::migrate
