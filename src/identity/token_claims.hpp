#pragma once
/// A JSON Web Token taken apart (RFC 7519, JWS compact form RFC 7515), and whether its claims are as wanted.
///
/// `exp` is required; `exp` and `nbf` are held with the policy's leeway; `crit` is refused, since no
/// extension is understood. Ownership: a ParsedToken owns what it shows. Thread rule: one thread. Errors: say
/// why a token is refused, without any part of it.
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/token_policy.hpp"

namespace spillway::identity {

/// Whom a token names; empty where it does not say. A number is given as its text.
struct TokenClaims {
    std::string client;
    std::string user;
    std::string team;
    bool client_by_name = false;  ///< `client` is a client's name, not the value of a claim
};

class ParsedToken {
public:
    [[nodiscard]] static Result<ParsedToken> parse(std::string_view token);
    /// Three parts with dots: worth parsing.
    [[nodiscard]] static bool looks_like_token(std::string_view text) noexcept;

    [[nodiscard]] std::string_view algorithm() const noexcept { return algorithm_; }
    [[nodiscard]] std::string_view key_id() const noexcept { return key_id_; }
    [[nodiscard]] std::string_view issuer() const;
    /// What is signed: a view into the text that was parsed.
    [[nodiscard]] std::string_view signed_part() const noexcept { return signed_part_; }
    [[nodiscard]] std::string_view signature() const noexcept { return signature_; }
    /// Only of use once the signature was found good.
    [[nodiscard]] Result<TokenClaims> check(const config::TokenPolicy& policy, Wall now) const;

private:
    std::string algorithm_;
    std::string key_id_;
    std::string signature_;
    std::string_view signed_part_;
    struct Claims;
    std::shared_ptr<const Claims> claims_;  ///< shared, so that what they are made of stays inside
};

}  // namespace spillway::identity
