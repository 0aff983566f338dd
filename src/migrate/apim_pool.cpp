// Backends and backend pools of API Management:
// learn.microsoft.com/azure/templates/microsoft.apimanagement/service/backends
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/strings.hpp"
#include "migrate/arm.hpp"
#include "migrate/read.hpp"

namespace spillway::migrate {
namespace {

constexpr std::string_view kType = "Microsoft.ApiManagement/service/backends";

/// Seconds of an ISO 8601 duration like PT1M30S.
std::optional<double> iso_seconds(std::string_view s) {
    if (!s.starts_with('P')) return std::nullopt;
    s.remove_prefix(1);
    double total = 0;
    bool time = false;
    while (!s.empty()) {
        if (s.front() == 'T') {
            time = true;
            s.remove_prefix(1);
            continue;
        }
        const auto digits = s.find_first_not_of("0123456789.");
        if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
        const auto n = parse_double(s.substr(0, digits));
        if (!n) return std::nullopt;
        const char unit = s[digits];
        constexpr double day = 86400;
        total += *n * (unit == 'D'           ? day
                       : unit == 'H'         ? 3600.0
                       : unit == 'M' && time ? 60.0
                       : unit == 'S'         ? 1.0
                                             : 0);
        s.remove_prefix(digits + 1);
    }
    return total;
}

struct Found {
    BackendDraft draft;
    bool used = false;
};

class Pool {
public:
    explicit Pool(Input& in) : in_(in) {}

    void read(const YAML::Node& root) {
        std::vector<arm::Resource> pools;
        for (const auto& r : arm::resources(root)) {
            if (!is_backend(r)) {
                other(r);
                continue;
            }
            const auto properties = r.node["properties"];
            if (properties.IsDefined() && properties.IsMap() && properties["pool"].IsDefined() &&
                !properties["pool"].IsNull())
                pools.push_back(r);
            else
                backend(r);
        }
        for (const auto& r : pools) pool(r);
        for (const auto& name : order_) {
            auto& found = backends_.at(name);
            if (!pools.empty() && !found.used) {
                in_.notes.add(found.draft.line, found.draft.path, "is in no pool; left out");
                continue;
            }
            in_.draft.backends.push_back(std::move(found.draft));
        }
        if (pools.size() > 1)
            in_.notes.add(0, "", "has more than one pool: one gateway serves the backends of all");
    }

private:
    static bool is_backend(const arm::Resource& r) {
        if (!r.type.empty()) return iequals(r.type, kType);
        // As `az rest` and modules may show it: without a type.
        const auto properties = r.node["properties"];
        return properties.IsDefined() && properties.IsMap() &&
               (properties["pool"].IsDefined() || properties["url"].IsDefined());
    }

    void other(const arm::Resource& r) {
        for (const std::string_view passed : {"/policies", "/apis", "/products", "/subscriptions"})
            if (istarts_with(r.type, "Microsoft.ApiManagement/") && r.type.ends_with(passed))
                in_.notes.add(Item{r.node, ""}.line(), r.path,
                              passed == "/policies"
                                  ? "is a policy: import it by itself for what it says"
                                  : "has no equal: clients with their keys and limits are in clients");
    }

    void backend(const arm::Resource& r) {
        BackendDraft out;
        const Item whole{r.node, r.path};
        out.line = whole.line();
        out.path = r.path;
        out.name = r.name;
        Section properties(in_.notes, {r.node["properties"], r.path + ".properties"});
        url(properties, r, out);
        credentials(properties, r.scope, out);
        breaker(properties, r.scope);
        auto tls = properties.map("tls");
        for (const auto* key : {"validateCertificateChain", "validateCertificateName"})
            if (const auto value = tls.text(key); value && iequals(*value, "false")) out.verify = false;
        tls.finish();
        properties.ignore({"protocol", "title", "description", "type", "resourceId"});
        properties.no_equal("proxy", "backends are reached without a proxy");
        properties.finish();
        auto name = r.name.empty() ? fmt::format("backend-{}", backends_.size() + 1) : r.name;
        if (!backends_.contains(name)) order_.push_back(name);
        backends_.insert_or_assign(std::move(name), Found{std::move(out)});
    }

    void url(Section& properties, const arm::Resource& r, BackendDraft& out) {
        const auto item = properties.item("url");
        const auto text = arm::text(item.node, r.scope);
        if (!text || text->find("://") == std::string::npos ||
            text->find(arm::kUnknown) != std::string::npos) {
            out.url = nowhere(r.name);
            out.kind = "azure";
            properties.note(
                "url",
                fmt::format("is known to Azure only: write the resource's URL in place of {}", out.url));
            return;
        }
        auto parts = split_url(*text);
        out.url = std::move(parts.url);
        out.deployment = std::move(parts.deployment);
        out.kind = out.url.find("api.openai.com") == std::string::npos ? "azure" : "openai";
        if (!out.deployment.empty())
            properties.note("url", "names a deployment, which then serves every request");
    }

    void credentials(Section& properties, const arm::Scope& scope, BackendDraft& out) {
        auto from = properties.map("credentials");
        auto header = from.map("header");
        for (auto& [name, value] : header.pairs()) {
            if (!iequals(name, "api-key") && !iequals(name, "authorization")) {
                in_.notes.add(value.line(), value.path, "has no equal: fields are not added to a request");
                continue;
            }
            const auto first = value.node.IsSequence() && value.node.size() != 0 ? value.node[0] : value.node;
            auto text = arm::text(first, scope);
            if (text && text->find(arm::kUnknown) != std::string::npos) text.reset();
            key(value, text, out);
        }
        if (from.has("managedIdentity")) {
            auto identity = from.map("managedIdentity");
            out.auth.kind = "managed_identity";
            out.auth.client_id = arm::text(identity.item("clientId").node, scope).value_or("");
            identity.ignore({"resource"});
            identity.finish();
        }
        from.no_equal("authorization", "say the key in api_key_env, with key_style: bearer");
        from.no_equal({"certificate", "certificateIds"}, "the gateway shows no certificate to a backend");
        from.no_equal("query", "nothing is added to a request's query");
        from.finish();
        if (out.key.given() || !out.auth.kind.empty()) return;
        out.auth.kind = "managed_identity";
        properties.note("credentials",
                        "say no key: the gateway's own identity is used (auth: managed_identity)");
    }

    void key(const Item& at, const std::optional<std::string>& text, BackendDraft& out) {
        const bool named = text && text->find("{{") != std::string::npos;
        if (!text || named) {
            const auto open = named ? text->find("{{") + 2 : 0;
            out.key.env =
                named ? env_name(trim(std::string_view(*text).substr(open, text->find("}}") - open)), "")
                      : env_name(out.name, "_KEY");
            in_.notes.add(
                at.line(), at.path,
                fmt::format("is known to Azure only: put it into the environment as {}", out.key.env));
        } else {
            out.key = key_of(*text, "", at.line(), at.path);
        }
    }

    void breaker(Section& properties, const arm::Scope& scope) {
        auto breaker = properties.map("circuitBreaker");
        for (const auto& item : breaker.list("rules")) {
            Section rule(in_.notes, item);
            const auto trip = arm::text(rule.item("tripDuration").node, scope);
            if (const auto time = trip ? iso_seconds(*trip) : std::nullopt)
                in_.draft.cool_down = std::max(in_.draft.cool_down.value_or(0), *time);
            rule.no_equal("failureCondition",
                          "a backend rests after one 429 until its quota frees, and after failures in a row");
            rule.ignore({"name", "acceptRetryAfter"});  // a Retry-After is always obeyed
            rule.finish();
        }
        breaker.finish();
    }

    void pool(const arm::Resource& r) {
        const auto pool = r.node["properties"]["pool"];
        Section section(in_.notes, {pool, r.path + ".properties.pool"});
        const auto services = arm::elements(pool, "services", r.scope);
        section.ignore({"services", "copy"});
        section.no_equal("sessionAffinity",
                         "what has an id stays at its resource; long prompts that begin alike "
                         "go to one, too: affinity");
        section.finish();
        if (services.empty()) section.note_here("has no services that could be told");
        for (const auto& service : services) member(service, section);
    }

    void member(const arm::Element& service, Section& pool) {
        if (!service.node.IsDefined() || !service.node.IsMap()) return;
        const auto id = arm::text(service.node["id"], service.scope);
        auto whole = id.value_or("");
        while (whole.ends_with('/')) whole.pop_back();
        const auto name = whole.substr(whole.rfind('/') + 1);
        const auto found = std::find_if(backends_.begin(), backends_.end(),
                                        [&](const auto& backend) { return iequals(backend.first, name); });
        if (found == backends_.end())
            return pool.notes().add(
                Item{service.node, ""}.line(), pool.path() + ".services",
                fmt::format("{} is not defined here; left out", name.empty() ? "a backend" : shown(name)));
        if (found->second.used) {
            pool.notes().add(
                Item{service.node, ""}.line(), pool.path() + ".services",
                fmt::format("{} is in a pool already, whose priority and weight it keeps", shown(name)));
            return;
        }
        found->second.used = true;
        auto& draft = found->second.draft;
        const auto priority = arm::text(service.node["priority"], service.scope);
        const auto weight = arm::text(service.node["weight"], service.scope);
        const YAML::Node& node = service.node;  // const: looking a key up must not add it
        if ((node["priority"].IsDefined() && !priority) || (node["weight"].IsDefined() && !weight))
            pool.notes().add(
                Item{node, ""}.line(), pool.path() + ".services",
                fmt::format("the priority or weight of {} cannot be told here: it counts as 1", shown(name)));
        if (const auto n = priority ? parse_int<unsigned>(*priority) : std::nullopt) draft.priority = *n;
        if (const auto n = weight ? parse_double(*weight) : std::nullopt) draft.weight = *n;
    }

    Input& in_;
    std::vector<std::string> order_;
    std::map<std::string, Found> backends_;
};

}  // namespace

void read_apim_pool(Input& in, const Item& root) {
    Pool(in).read(root.node);
}

}  // namespace spillway::migrate
