#pragma once
/// Bearer tokens that name the caller: JSON Web Tokens (RFC 7519, JWS compact form RFC 7515) signed with
/// RS256, ES256 (keys from a JSON Web Key Set, RFC 7517) or HS256.
///
/// The algorithm must fit the key (RFC 8725 §3.1): a public key never verifies an HMAC, `none` is unknown.
/// `exp` is required; `exp` and `nbf` are held with the configured leeway; `crit` is refused, since no
/// extension is understood.
/// Ownership: owns its keys. Thread rule: verify() is const and safe from any thread. Errors: make() says
/// what is wrong with the keys; verify() why a token is refused, without any part of it.
#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/quota.hpp"

namespace spillway::identity {

/// The configured claims; empty where the token has none. A number is given as its text.
struct TokenClaims {
    std::string client;
    std::string user;
    std::string team;
};

class JwtVerifier {
public:
    /// `jwks` is the content of config.jwks_file; empty if there is none.
    [[nodiscard]] static Result<JwtVerifier> make(config::JwtConfig config, std::string_view jwks);
    [[nodiscard]] Result<TokenClaims> verify(std::string_view token, Wall now) const;
    /// Three parts with dots: worth verifying.
    [[nodiscard]] static bool looks_like_token(std::string_view text) noexcept;

private:
    enum class Algorithm : std::uint8_t { rs256, es256 };
    struct Free {
        void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    };
    struct Key {
        std::string id;
        Algorithm algorithm;
        std::unique_ptr<EVP_PKEY, Free> key;
    };
    [[nodiscard]] bool signed_by_any(std::string_view algorithm, std::string_view key_id,
                                     std::string_view input, std::string_view signature) const;

    config::JwtConfig config_;
    std::vector<Key> keys_;
};

/// Base64 with the URL alphabet and without padding (RFC 4648 §5); false if malformed.
[[nodiscard]] bool decode_base64url(std::string_view text, std::string& out);

}  // namespace spillway::identity
