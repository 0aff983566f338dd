#pragma once
/// Verifies bearer tokens with keys from the configuration: a JSON Web Key Set (see identity/jose.hpp for the
/// algorithms), or a secret (HS256). Tokens of issuers whose keys are fetched are handled in
/// identity/issuer_keys.hpp.
///
/// Ownership: owns its keys. Thread rule: verify() is const and safe from any thread. Errors: make() says
/// what is wrong with the keys; verify() why a token is refused, without any part of it.
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/quota.hpp"
#include "identity/jose.hpp"
#include "identity/token_claims.hpp"

namespace spillway::identity {

class JwtVerifier {
public:
    /// `jwks` is the content of config.jwks_file; empty if there is none.
    [[nodiscard]] static Result<JwtVerifier> make(config::JwtConfig config, std::string_view jwks);
    [[nodiscard]] Result<TokenClaims> verify(const ParsedToken& token, Wall now) const;
    [[nodiscard]] Result<TokenClaims> verify(std::string_view token, Wall now) const;

private:
    config::Secret secret_;
    config::TokenPolicy policy_;
    KeySet keys_;
};

}  // namespace spillway::identity
