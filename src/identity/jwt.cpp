#include "identity/jwt.hpp"

namespace spillway::identity {

Result<JwtVerifier> JwtVerifier::make(config::JwtConfig config, std::string_view jwks) {
    JwtVerifier out;
    out.secret_ = std::move(config.secret);
    if (!config.issuer.empty()) out.policy_.issuers.push_back(std::move(config.issuer));
    if (!config.audience.empty()) out.policy_.audiences.push_back(std::move(config.audience));
    out.policy_.client_claims.push_back(std::move(config.client_claim));
    out.policy_.user_claim = std::move(config.user_claim);
    out.policy_.team_claim = std::move(config.team_claim);
    out.policy_.leeway = config.leeway;
    if (config.jwks_file.empty()) return out;
    auto keys = KeySet::parse(jwks);
    if (!keys) return fail(config.jwks_file + ": " + keys.error().message);
    out.keys_ = std::move(*keys);
    return out;
}

Result<TokenClaims> JwtVerifier::verify(const ParsedToken& token, Wall now) const {
    const bool good =
        token.algorithm() == "HS256"
            ? !secret_.empty() && verify_hs256(secret_.reveal(), token.signed_part(), token.signature())
            : keys_.verifies(token.algorithm(), token.key_id(), token.signed_part(), token.signature());
    if (!good) return fail("is not signed by a known key");
    return token.check(policy_, now);
}

Result<TokenClaims> JwtVerifier::verify(std::string_view token, Wall now) const {
    auto parsed = ParsedToken::parse(token);
    if (!parsed) return parsed.error();
    return verify(*parsed, now);
}

}  // namespace spillway::identity
