// Key sets, tokens and an issuer's metadata. The first line is a key set or metadata, the rest a token:
// nothing that was not signed is believed, whatever its header says, and what a token claims is read without
// a throw.
#include <algorithm>
#include <string>

#include "base/strings.hpp"
#include "check.hpp"
#include "config/quota.hpp"
#include "identity/issuer_keys.hpp"
#include "identity/jose.hpp"
#include "identity/jwt.hpp"
#include "identity/token_claims.hpp"

using namespace spillway;

namespace {

/// RFC 7517 appendix A.1, whose private half no input has; beside it a secret.
constexpr std::string_view kKeys =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
    R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1"}]})";

const identity::JwtVerifier& verifier() {
    static const identity::JwtVerifier made = [] {
        config::JwtConfig config;
        config.secret = config::Secret("a secret that no input has, 7f3a");
        return *identity::JwtVerifier::make(config, kKeys);
    }();
    return made;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    const auto line = std::min(text.find('\n'), text.size());
    const std::string_view first = text.substr(0, line);
    const std::string_view token = text.substr(std::min(line + 1, text.size()));
    const Wall now(std::chrono::seconds(1'750'000'000));

    SPILLWAY_EXPECT(!verifier().verify(token, now).has_value());
    const auto keys = identity::KeySet::parse(first);
    SPILLWAY_EXPECT(!keys.has_value() || !keys->empty());
    static_cast<void>(identity::endpoint_in(first, {}, "jwks_uri"));
    std::string decoded;
    if (identity::decode_base64url(token, decoded))
        SPILLWAY_EXPECT(identity::encode_base64url(decoded) == token);

    const auto parsed = identity::ParsedToken::parse(token);
    if (!parsed) return 0;
    SPILLWAY_EXPECT(identity::ParsedToken::looks_like_token(token));
    SPILLWAY_EXPECT(token.starts_with(parsed->signed_part()));
    if (keys)
        static_cast<void>(keys->verifies(parsed->algorithm(), parsed->key_id(), parsed->signed_part(),
                                         parsed->signature()));
    config::TokenPolicy policy;
    if (const auto claims = parsed->check(policy, now)) SPILLWAY_EXPECT(!parsed->claim("exp").empty());
    static_cast<void>(parsed->issuer());
    static_cast<void>(parsed->audiences());
    static_cast<void>(parsed->is_elsewhere("groups"));
    return 0;
}
