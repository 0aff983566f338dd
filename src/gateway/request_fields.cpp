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

/// Fields of applications begin with "x-"; these say where a request came from, or who sits at the browser.
bool stays_inside(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 22> kPrefixes{
        "x-forwarded", "x-real-ip", "x-original", "x-client-ip", "x-cluster", "x-envoy",
        "x-amzn-",     "x-amz-cf",  "x-azure-",   "x-arr-",      "x-appgw",   "x-appservice",
        "x-auth",      "x-access",  "x-csrf",     "x-xsrf",      "x-session", "x-user",
        "x-remote",    "x-vercel",  "x-cloud-",   "x-spillway-"};
    static constexpr NameSet kNames("x-api-key", "x-request-id", "x-token", "x-id-token", "x-site", "x-host",
                                    "x-webauth-user", "x-jwt-assertion", "x-ms-client-principal",
                                    "x-ms-client-principal-id", "x-ms-client-principal-name",
                                    "x-ms-token-aad-access-token", "x-ms-token-aad-id-token",
                                    "x-goog-api-key", "x-goog-iap-jwt-assertion");
    return kNames.has(name) || begins_with_any(name, kPrefixes);
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
