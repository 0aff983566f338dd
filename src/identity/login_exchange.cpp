#include "identity/login_exchange.hpp"

#include <fmt/format.h>

#include "config/secret.hpp"
#include "identity/web_fetch.hpp"

namespace spillway::identity {
namespace {

constexpr std::chrono::seconds kPatience{10};
/// For the fetch of a key that the provider signs with since a moment ago: two of them, see KeySchedule.
constexpr std::chrono::seconds kKeyPatience{5};

WebOptions web_options(const config::IssuerConfig& issuer) {
    WebOptions out;
    out.ca_file = issuer.ca_file;
    out.timeout = kPatience;
    return out;
}

/// Why nobody's role fits: what an administrator has to look at.
std::string no_role(const ParsedToken& token, const Person& person, const config::AdminRolesConfig& roles) {
    for (const auto* conditions : {&roles.viewer, &roles.operate, &roles.manage})
        for (const auto& [claim, values] : *conditions)
            if (token.is_elsewhere(claim))
                return fmt::format(
                    "{} is known, but the provider left the claim {} out of the token since it would be too "
                    "large (in Entra: a member of too many groups). Let roles depend on app roles instead.",
                    person.name, claim);
    return fmt::format("{} is known, but has none of the roles that the gateway gives (admin.oidc.roles).",
                       person.name);
}

}  // namespace

Result<Provider> ask_provider(const config::IssuerConfig& issuer, const std::stop_token& stop) {
    const std::string url = discovery_url(issuer);
    const auto answer =
        web_fetch({"GET", url, {{"Accept", "application/json"}}, {}}, web_options(issuer), stop);
    if (!answer) return fail(answer.error().message);
    if (answer->status != 200) return fail(fmt::format("{}: HTTP {}", url, answer->status));
    return parse_provider(answer->body, issuer);
}

Result<LoggedIn> exchange_code(const Provider& provider, const config::AdminOidcConfig& oidc,
                               IssuerKeys& keys, const LoginFlow& flow, std::string_view code,
                               const std::stop_token& stop) {
    TokenRequest request = code_request(provider, oidc, flow, code);
    auto answer = web_fetch(request, web_options(oidc.provider), stop);
    config::wipe(request.body);
    if (!answer) return fail("The provider's token endpoint: " + answer.error().message);
    auto text = parse_id_token(answer->status, answer->body);
    config::wipe(answer->body);
    if (!text) return fail("The provider's token endpoint: " + text.error().message);
    const auto token = ParsedToken::parse(*text);
    if (!token) return fail("The ID token " + token.error().message + ".");
    const Wall now = wall_now();
    if (const auto verified = keys.verify_patiently(*token, oidc.provider.policy, now, kKeyPatience, stop);
        !verified)
        return fail("The ID token " + verified.error().message + ".");
    if (const auto good = check_id_token(*token, oidc, flow); !good)
        return fail("The ID token " + good.error().message + ".");
    LoggedIn out{person_of(*token, oidc.roles, now), {}};
    const auto role = role_of(oidc.roles, out.person.held);
    if (!role) return fail(no_role(*token, out.person, oidc.roles));
    out.role = *role;
    return out;
}

}  // namespace spillway::identity
