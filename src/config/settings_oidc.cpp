// Log-in to the admin plane by an OpenID Connect provider.
#include <algorithm>

#include "config/claim_codecs.hpp"
#include "config/settings.hpp"

namespace spillway::config {
namespace {

/// Shorter ones could be guessed by who has a cookie, off line.
constexpr std::size_t kLeastSessionKey = 32;

codec::SafeUrl private_url() {
    codec::SafeUrl out;
    out.danger = "sessions could be read on the way";
    return out;
}

const Fields<AdminRolesConfig>& role_fields() {
    static const auto fields =
        Fields<AdminRolesConfig>()
            .add("viewer", &AdminRolesConfig::viewer, codec::Conditions{},
                 {.help = "claims that the ID token of a viewer must have, each with one of the values: "
                          "`{groups: [support, sales]}`",
                  .default_words = "nobody"})
            .add("operator", &AdminRolesConfig::operate, codec::Conditions{},
                 {.help = "of an operator", .default_words = "nobody"})
            .add("admin", &AdminRolesConfig::manage, codec::Conditions{},
                 {.help = "of an admin; of several roles the highest counts", .default_words = "nobody"})
            .then([](yaml::MapReader& reader, AdminRolesConfig& roles) {
                const auto check = [&](std::string_view key, const ClaimConditions& conditions) {
                    if (reader.has(key) && conditions.empty())
                        reader.error(key, "needs claims: {CLAIM: VALUE}; without any, nobody has the role");
                };
                check("viewer", roles.viewer);
                check("operator", roles.operate);
                check("admin", roles.manage);
            });
    return fields;
}

}  // namespace

const Fields<AdminOidcConfig>& admin_oidc_fields() {
    static const auto fields =
        Fields<AdminOidcConfig>()
            .add("issuer", [](auto& o) -> auto& { return o.provider.issuer; }, codec::SafeUrl{},
                 {.help = "the provider's, as its tokens' `iss`; endpoints and keys are looked up from it "
                          "(OpenID Connect Discovery)",
                  .needed = "needs an issuer"})
            .add("client_id", &AdminOidcConfig::client_id, codec::Text{},
                 {.help = "the gateway's at the provider", .needed = "needs a client_id"})
            .add("client_secret", &AdminOidcConfig::client_secret, codec::SecretText{},
                 {.help = "the gateway's at the provider, see [Secrets](#secrets)",
                  .default_words = "none: a public client"})
            .add("public_url", &AdminOidcConfig::public_url, private_url(),
                 {.help = "the admin listener's address as browsers know it; `public_url` + "
                          "`/login/callback` is the redirect URI to register",
                  .needed = "needs a public_url: where browsers reach the admin listener"})
            .add("scopes", &AdminOidcConfig::scopes,
                 codec::TextList{"expected a list of scopes", "expected a scope"},
                 {.help = "what is asked for", .default_words = "`openid`, `profile`, `email`"})
            .section("roles", &AdminOidcConfig::roles, role_fields())
            .add("session", &AdminOidcConfig::session,
                 codec::Time{std::chrono::seconds(1), std::chrono::hours(24 * 7)},
                 {.help = "time from a log-in until the next is needed"})
            .add("session_key", &AdminOidcConfig::session_key, codec::SecretText{},
                 {.help = "what sessions are sealed with, at least 32 random characters; the same at all "
                          "replicas",
                  .default_words = "random: sessions end with the process"})
            .add("ca_file", [](auto& o) -> auto& { return o.provider.ca_file; }, codec::ReadableFile{},
                 {.help = "PEM file with the authorities to trust for the provider",
                  .default_words = "the system's"})
            .then([](yaml::MapReader& reader, AdminOidcConfig& o) {
                while (o.public_url.ends_with('/')) o.public_url.pop_back();
                if (const auto url = parse_backend_url(o.public_url); url) o.public_url = url->to_string();
                o.provider.policy.issuers = {o.provider.issuer};
                o.provider.policy.audiences = {o.client_id};
                if (o.scopes.empty()) o.scopes = {"openid", "profile", "email"};
                if (std::ranges::find(o.scopes, "openid") == o.scopes.end())
                    reader.error("scopes", "must have openid: without it there is no ID token");
                if (o.roles == AdminRolesConfig{})
                    reader.error_here("needs roles: without them nobody who logs in may see anything");
                if (const auto key = o.session_key.reveal(); !key.empty() && key.size() < kLeastSessionKey)
                    reader.error("session_key", "is too short: at least 32 characters are needed");
            });
    return fields;
}

}  // namespace spillway::config
