// The policy of Azure-Samples/openai-apim-lb: a list of backends in C#, in an expression of a set-variable.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "migrate/csharp.hpp"
#include "migrate/policy_scan.hpp"
#include "migrate/read.hpp"

namespace spillway::migrate {
namespace {

/// `{{name}}` is a named value of the API Management instance.
std::optional<std::string> named_value(std::string_view text) {
    const auto open = text.find("{{");
    if (open == std::string_view::npos) return std::nullopt;
    const auto close = text.find("}}", open);
    if (close == std::string_view::npos) return std::nullopt;
    return std::string(trim(text.substr(open + 2, close - open - 2)));
}

/// What other elements mean here; those that are not listed have no equal.
struct Meaning {
    std::string_view element;
    std::string_view message;  ///< empty: needs no words
};
constexpr std::array kMeanings{
    Meaning{"policies", ""},
    Meaning{"inbound", ""},
    Meaning{"backend", ""},
    Meaning{"outbound", ""},
    Meaning{"on-error", ""},
    Meaning{"base", ""},
    Meaning{"fragment", ""},
    Meaning{"choose", ""},
    Meaning{"when", ""},
    Meaning{"otherwise", ""},
    Meaning{"value", ""},
    Meaning{"set-variable", ""},
    Meaning{"cache-lookup-value", ""},
    Meaning{"cache-store-value", ""},
    Meaning{"set-backend-service", ""},
    Meaning{"forward-request", ""},
    Meaning{"retry", ""},
    Meaning{"authentication-managed-identity", ""},
    Meaning{"set-header", ""},
    Meaning{"openid-config", ""},
    Meaning{"audiences", ""},
    Meaning{"audience", ""},
    Meaning{"issuers", ""},
    Meaning{"issuer", ""},
    Meaning{"required-claims", ""},
    Meaning{"claim", ""},
    Meaning{"dimension", ""},
    Meaning{"validate-jwt",
            "becomes nothing by itself: say the issuer in identity.issuers (docs/identity.md)"},
    Meaning{"validate-azure-ad-token",
            "becomes nothing by itself: say the issuer in identity.issuers (docs/identity.md)"},
    Meaning{"azure-openai-token-limit", "becomes nothing by itself: give clients limits.tokens_per_minute"},
    Meaning{"llm-token-limit", "becomes nothing by itself: give clients limits.tokens_per_minute"},
    Meaning{"rate-limit", "becomes nothing by itself: give clients limits.requests_per_minute"},
    Meaning{"rate-limit-by-key", "becomes nothing by itself: give clients limits.requests_per_minute"},
    Meaning{"quota", "becomes nothing by itself: give clients limits.tokens"},
    Meaning{"quota-by-key", "becomes nothing by itself: give clients limits.tokens"},
    Meaning{"azure-openai-emit-token-metric", "becomes nothing: the metrics count tokens (docs/metrics.md)"},
    Meaning{"llm-emit-token-metric", "becomes nothing: the metrics count tokens (docs/metrics.md)"},
    Meaning{"ip-filter", "becomes nothing by itself: give clients networks"},
    Meaning{"cors", "becomes nothing by itself: say the origins in server.cors"},
};

class Policy {
public:
    Policy(Input& in, std::string_view text) : in_(in), text_(text) {}

    void read() {
        const auto elements = scan_policy(text_);
        std::string_view header;
        for (const auto& e : elements) {
            element(e);
            if (e.name == "set-header") header = header_of(e);
            if (e.name == "value" && iequals(header, "api-key")) api_key(e);
        }
        if (!found_.empty() && auth_.kind.empty() && !key_.given())
            in_.notes.add(0, "",
                          "says no credential: the gateway's own identity is used (auth: managed_identity)");
        for (auto& backend : found_) {
            if (!backend.key.given()) backend.key = key_;
            if (!backend.key.given()) backend.auth = auth_;
            if (!backend.key.given() && auth_.kind.empty()) backend.auth.kind = "managed_identity";
            in_.draft.backends.push_back(std::move(backend));
        }
    }

private:
    [[nodiscard]] int line_at(std::size_t at) const {
        return 1 + static_cast<int>(std::count(
                       text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(at, text_.size())),
                       '\n'));
    }

    static std::string_view header_of(const PolicyElement& e) {
        const auto* name = e.find("name");
        return name == nullptr ? std::string_view() : std::string_view(name->value);
    }

    void element(const PolicyElement& e) {
        const auto known = std::find_if(kMeanings.begin(), kMeanings.end(),
                                        [&](const auto& m) { return m.element == e.name; });
        if (known == kMeanings.end())
            in_.notes.add(line_at(e.at), shown(e.name), "has no equal; left out");
        else if (!known->message.empty())
            in_.notes.add(line_at(e.at), e.name, std::string(known->message));
        for (const auto& a : e.attributes)
            if (a.value.find("JObject") != std::string::npos || a.value.find("new {") != std::string::npos)
                backends(a);
        if (e.text.find("JObject") != std::string::npos) backends({"", e.text, e.at});
        if (e.name == "authentication-managed-identity") identity(e);
        if (e.name == "retry") retry(e);
        if (e.name == "set-backend-service") service(e);
    }

    /// A backend that the policy chooses by its address.
    void service(const PolicyElement& e) {
        const auto base = e.value("base-url");
        if (base.empty() || base.front() == '@') return;
        BackendDraft out;
        out.line = line_at(e.at);
        out.path = "set-backend-service";
        if (const auto name = named_value(base)) {
            out.url = url_of(in_, *name, out.line, out.path);
            out.kind = "azure";
        } else {
            url(out, base);
        }
        found_.push_back(std::move(out));
    }

    void identity(const PolicyElement& e) {
        auth_.kind = "managed_identity";
        const auto client = e.value("client-id");
        if (const auto name = named_value(client))
            in_.notes.add(line_at(e.at), e.name,
                          fmt::format("the client id is the named value {}: write it into auth as client_id, "
                                      "unless the system's identity is meant",
                                      shown(*name)));
        else if (!client.starts_with('@'))
            auth_.client_id = client;
    }

    void retry(const PolicyElement& e) {
        in_.notes.add(
            line_at(e.at), "retry",
            "becomes nothing: each backend is tried once, and one of them twice; retry.max_attempts "
            "changes that");
        if (const auto n = parse_double(e.value("interval")); n && *n > 0)
            in_.notes.add(line_at(e.at), "retry.interval", "has no equal: another backend is asked at once");
    }

    void api_key(const PolicyElement& e) {
        if (const auto name = named_value(e.text))
            key_.env = env_name(*name, "");
        else if (!e.text.empty() && e.text.front() != '@')
            key_ = key_of(e.text, "", line_at(e.at), "set-header.api-key");
        if (!key_.env.empty())
            in_.notes.add(line_at(e.at), "set-header.api-key",
                          fmt::format("is a named value: put it into the environment as {}", key_.env));
    }

    void backends(const PolicyElement::Attribute& a) {
        for (const std::string_view parser : {"JArray.Parse", "JObject.Parse"})
            if (a.value.find(parser) != std::string::npos)
                in_.notes.add(line_at(a.at), a.name,
                              fmt::format("{} is not read: write its backends by hand", parser));
        for (const auto& object : csharp::objects(a.value)) {
            const bool is_backend = object.find("url") != nullptr || object.find("backend-id") != nullptr ||
                                    object.find("backendId") != nullptr;
            const auto lines =
                std::count(a.value.begin(), a.value.begin() + static_cast<std::ptrdiff_t>(object.at), '\n');
            if (is_backend) backend(object, line_at(a.at) + static_cast<int>(lines));
        }
    }

    void backend(const csharp::Object& object, int line) {
        BackendDraft out;
        out.line = line;
        out.path = fmt::format("backends[{}]", found_.size());
        for (const auto& member : object.members) set(out, member, line);
        found_.push_back(std::move(out));
    }

    void set(BackendDraft& out, const csharp::Member& m, int line) {
        const auto path = fmt::format("{}.{}", out.path, shown(m.name));
        if (m.name == "url") {
            if (const auto name = named_value(m.value); m.literal && name)
                out.url = url_of(in_, *name, line, path);
            else if (m.literal)
                url(out, m.value);
            else
                unresolved(out, "backend", line, path);
        } else if (m.name == "backend-id" || m.name == "backendId") {
            out.name = m.literal ? m.value : "";
            if (out.url.empty()) unresolved(out, out.name, line, path);
        } else if (m.name == "priority") {
            if (const auto n = parse_int<unsigned>(m.value)) out.priority = *n;
        } else if (m.name == "weight") {
            if (const auto n = parse_double(m.value)) out.weight = *n;
        } else if (m.name == "name") {
            out.name = m.literal ? m.value : "";
        } else if (iequals(m.name, "api-key") || iequals(m.name, "apiKey") || iequals(m.name, "key")) {
            if (const auto name = named_value(m.value))
                out.key.env = env_name(*name, "");
            else if (m.literal)
                out.key = key_of(m.value, "", line, path);
        } else if (m.name != "isThrottling" && m.name != "retryAfter") {  // what the policy remembers
            in_.notes.add(line, path, "has no equal; left out");
        }
    }

    static void url(BackendDraft& out, std::string_view text) {
        auto parts = split_url(text);
        out.url = std::move(parts.url);
        out.deployment = std::move(parts.deployment);
        out.kind = "azure";
    }

    void unresolved(BackendDraft& out, std::string_view name, int line, const std::string& path) {
        out.url = nowhere(name);
        out.kind = "azure";
        in_.notes.add(line, path,
                      fmt::format("is defined elsewhere: write the resource's URL in place of {}", out.url));
    }

    Input& in_;
    std::string_view text_;
    AuthDraft auth_;
    KeyRef key_;
    std::vector<BackendDraft> found_;
};

}  // namespace

void read_apim_policy(Input& in, std::string_view text) {
    Policy(in, text).read();
}

}  // namespace spillway::migrate
