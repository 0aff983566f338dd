#include "gateway/request_fields.hpp"

#include <algorithm>
#include <array>

#include "base/name_set.hpp"
#include "identity/client_keys.hpp"

namespace spillway::gateway {
namespace {

bool begins_with_any(std::string_view name, std::span<const std::string_view> prefixes) noexcept {
    return std::ranges::any_of(prefixes, [&](std::string_view p) { return istarts_with(name, p); });
}

bool ends_with_any(std::string_view name, std::span<const std::string_view> ends) noexcept {
    return std::ranges::any_of(ends, [&](std::string_view end) {
        return name.size() >= end.size() && iequals(name.substr(name.size() - end.size()), end);
    });
}

/// Fields of applications begin with "x-"; these say where a request came from, who sits at the browser,
/// carry what lets them in, or ask for another method or path than the one that was judged. By what proxies,
/// clouds and chat apps add: nginx, Envoy, Akamai, Front Door, App Service, App Engine, Fastly, Kong,
/// Pomerium, Open WebUI, LibreChat …
bool stays_inside(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 51> kPrefixes{
        "x-forwarded",      "x-real-ip",    "x-original",  "x-client",      "x-cluster",
        "x-envoy",          "x-amzn-",      "x-amz-cf",    "x-azure-",      "x-arr-",
        "x-appgw",          "x-appservice", "x-auth",      "x-access",      "x-csrf",
        "x-xsrf",           "x-session",    "x-user",      "x-remote",      "x-vercel",
        "x-cloud-",         "x-spillway-",  "x-ms-token-", "x-ms-client-p", "x-ms-forwarded",
        "x-goog-auth",      "x-goog-iap",   "x-pomerium",  "x-openwebui-",  "x-librechat-",
        "x-consumer-",      "x-credential", "x-groups",    "x-okta",        "x-ldap",
        "x-org-user",       "x-ssl-",       "x-tls-",      "x-nf-",         "x-akamai-",
        "x-appengine-",     "x-proxyuser",  "x-source-",   "x-fd-",         "x-caller",
        "x-waws-",          "x-rewrite",    "x-disguised", "x-referer",     "x-http-method",
        "x-method-override"};
    static constexpr std::array<std::string_view, 11> kEnds{
        "-token", "-key",    "-ip",        "-cert",     "-secret",       "-cookie",
        "-email", "-bearer", "-assertion", "-clientip", "-forwarded-for"};
    static constexpr NameSet kNames("x-request-id", "x-site", "x-host", "x-webauth-user");
    if (iequals(name, "x-idempotency-key")) return false;
    return kNames.has(name) || begins_with_any(name, kPrefixes) || ends_with_any(name, kEnds);
}

}  // namespace

bool goes_up(std::string_view name) noexcept {
    static constexpr NameSet kAllowed("accept", "accept-language", "cache-control", "content-encoding",
                                      "content-language", "content-type", "idempotency-key", "if-match",
                                      "if-none-match", "if-modified-since", "openai-beta", "prefer", "range",
                                      "traceparent", "tracestate", "baggage", "user-agent",
                                      "extra-parameters", "azureml-model-deployment", "apim-request-id");
    if (kAllowed.has(name)) return true;
    if (!istarts_with(name, "x-")) return false;
    return !stays_inside(name) && !identity::is_credential_field(name);
}

}  // namespace spillway::gateway
