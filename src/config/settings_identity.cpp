// Other ways than a key to know a client.
#include "base/ip.hpp"
#include "config/codecs.hpp"
#include "config/settings.hpp"

namespace spillway::config {

bool is_network(const std::string& text) {
    return IpNetwork::parse(text).has_value();
}

namespace {

const Fields<JwtConfig>& jwt_fields() {
    static const auto fields =
        Fields<JwtConfig>()
            .add("jwks_file", &JwtConfig::jwks_file, codec::ReadableFile{},
                 {.help = "JSON Web Key Set with the issuer's RSA and EC keys"})
            .add("secret", &JwtConfig::secret, codec::SecretText{}, {.help = "shared secret for HS256"})
            .then([](yaml::MapReader& reader, JwtConfig&) {
                if (!reader.has("jwks_file") && !reader.has("secret") && !reader.has("secret_env") &&
                    !reader.has("secret_file"))
                    reader.error_here("needs keys: jwks_file, or a secret for HS256");
            })
            .add("issuer", &JwtConfig::issuer, codec::Text{},
                 {.help = "`iss` must be this", .default_words = "any"})
            .add("audience", &JwtConfig::audience, codec::Text{},
                 {.help = "`aud` must be or contain this", .default_words = "any"})
            .add("client_claim", &JwtConfig::client_claim, codec::Text{},
                 {.help = "claim that names the client"})
            .add("user_claim", &JwtConfig::user_claim, codec::Text{}, {.help = "claim that names the user"})
            .add("team_claim", &JwtConfig::team_claim, codec::Text{}, {.help = "claim that names the team"})
            .add("leeway", &JwtConfig::leeway, codec::Time{Duration::zero(), std::chrono::minutes(10)},
                 {.help = "difference of clocks that is allowed"});
    return fields;
}

const Fields<TrustedHeadersConfig>& headers_fields() {
    static const codec::Name field_name{.expected = "expected the name of a header field"};
    static const auto fields =
        Fields<TrustedHeadersConfig>()
            .add("client", &TrustedHeadersConfig::client, field_name, {.help = "field that names the client"})
            .add("user", &TrustedHeadersConfig::user, field_name, {.help = "field that names the user"})
            .add("team", &TrustedHeadersConfig::team, field_name, {.help = "field that names the team"})
            .add(
                "trusted_proxies", &TrustedHeadersConfig::proxies,
                codec::TextList{"expected a list of addresses or networks",
                                "expected an address or a network, such as 10.0.0.0/8", is_network},
                {.help = "addresses or networks whose fields are believed; those of others are ignored. None "
                         "of these fields is passed on",
                 .default_words = "needed"})
            .then([](yaml::MapReader& reader, TrustedHeadersConfig&) {
                if (reader.is_empty_list("trusted_proxies"))
                    reader.error_here("needs trusted_proxies: anyone could write these fields");
            });
    return fields;
}

}  // namespace

const Fields<IdentityConfig>& identity_fields() {
    static const auto fields =
        Fields<IdentityConfig>()
            .section("jwt", &IdentityConfig::jwt, jwt_fields())
            .shown_if([](const auto& identity) { return identity.jwt.enabled(); })
            .list("issuers", &IdentityConfig::issuers, issuer_fields(), "expected a list of issuers")
            .section("headers", &IdentityConfig::headers, headers_fields());
    return fields;
}

}  // namespace spillway::config
