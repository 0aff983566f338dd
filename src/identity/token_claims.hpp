#pragma once
/// Parses a JSON Web Token (RFC 7519, in JWS compact form, RFC 7515), and checks its claims against a policy.
///
/// `exp` is required; `exp` and `nbf` are checked with the policy's leeway; `crit` is refused, since no
/// extension is supported. Ownership: a ParsedToken owns its data. Thread rule: one thread. Errors: why a
/// token is refused, without any part of it.
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/token_policy.hpp"

namespace spillway::identity {

/// Whom a token identifies; empty where it does not say. Numbers as text.
struct TokenClaims {
    std::string client;
    std::string user;
    std::string team;
    bool client_by_name = false;  ///< `client` is a client's name, not the value of a claim
};

class ParsedToken {
public:
    [[nodiscard]] static Result<ParsedToken> parse(std::string_view token);
    /// Whether it has three parts with dots, and so is worth parsing.
    [[nodiscard]] static bool looks_like_token(std::string_view text) noexcept;

    [[nodiscard]] std::string_view algorithm() const noexcept { return algorithm_; }
    [[nodiscard]] std::string_view key_id() const noexcept { return key_id_; }
    [[nodiscard]] std::string_view issuer() const;
    /// The signed part, as a view into the parsed text.
    [[nodiscard]] std::string_view signed_part() const noexcept { return signed_part_; }
    [[nodiscard]] std::string_view signature() const noexcept { return signature_; }
    /// Only meaningful once the signature has been verified.
    [[nodiscard]] Result<TokenClaims> check(const config::TokenPolicy& policy, Wall now) const;
    /// A claim that is a text or a number, as text; empty if it is not there. (These, too, mean something
    /// only once the signature has been verified.)
    [[nodiscard]] std::string claim(std::string_view name) const;
    /// Number of values of `aud`.
    [[nodiscard]] std::size_t audiences() const;
    /// Of the values that `asked` names, those that the token has.
    [[nodiscard]] config::ClaimConditions held(const config::ClaimConditions& asked) const;
    /// Whether the claim is to be had elsewhere: it was too large (OpenID Connect Core 1.0 §5.6.2; Entra:
    /// groups overage).
    [[nodiscard]] bool is_elsewhere(std::string_view claim) const;

private:
    std::string algorithm_;
    std::string key_id_;
    std::string signature_;
    std::string_view signed_part_;
    struct Claims;
    std::shared_ptr<const Claims> claims_;  ///< shared, so that their type stays private
};

}  // namespace spillway::identity
