#pragma once
/// Log-in to the admin plane by an OpenID Connect provider. Plain values; thread rule as in
/// config/gateway.hpp.
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "config/secret.hpp"
#include "config/token_policy.hpp"

namespace spillway::config {

/// What a person's ID token must have for a role, as `require` of an issuer; empty: nobody has it by log-in.
/// Of several the highest counts.
struct AdminRolesConfig {
    ClaimConditions viewer;
    ClaimConditions operate;
    ClaimConditions manage;
    friend bool operator==(const AdminRolesConfig&, const AdminRolesConfig&) = default;
};

struct AdminOidcConfig {
    IssuerConfig provider;  ///< its policy: tokens of this issuer for client_id
    std::string client_id;
    Secret client_secret;    ///< empty: a public client, which only PKCE protects
    std::string public_url;  ///< the admin plane's as browsers know it, without a final '/'
    std::vector<std::string> scopes;
    AdminRolesConfig roles;
    Duration session = std::chrono::hours(8);  ///< from log-in to log-in, whatever happens between
    Secret session_key;                        ///< shared by replicas; empty: random for this process

    [[nodiscard]] bool https() const noexcept { return public_url.starts_with("https://"); }
    /// What browsers call its origin (RFC 6454 §6.2): public_url without a path.
    [[nodiscard]] std::string_view origin() const noexcept {
        const std::string_view url = public_url;
        const std::size_t host = url.find("://");
        return url.substr(0, host == std::string_view::npos ? host : url.find('/', host + 3));
    }
    friend bool operator==(const AdminOidcConfig&, const AdminOidcConfig&) = default;
};

}  // namespace spillway::config
