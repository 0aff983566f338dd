#pragma once
/// Which bearer tokens are believed, and whom they name. Plain values; thread rule as config/gateway.hpp.
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace spillway::config {

/// A claim's name → one of these values must be in it. A claim may be a text, a number, a list of those, or a
/// text of words (`scp`).
using ClaimConditions = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Tokens that fulfil all of `when` belong to this client and team.
struct TokenRule {
    ClaimConditions when;
    std::string client;  ///< a client's name; empty: as the token says
    std::string team;    ///< empty: as the token says
    friend bool operator==(const TokenRule&, const TokenRule&) = default;
};

struct TokenPolicy {
    std::vector<std::string> issuers;        ///< `iss` must be one; empty: any
    std::vector<std::string> audiences;      ///< `aud` must hold one; empty: any
    ClaimConditions require;                 ///< all must be fulfilled
    std::vector<TokenRule> rules;            ///< the first that fits counts
    std::vector<std::string> client_claims;  ///< the first that the token has names the client
    std::string user_claim;                  ///< empty: none
    std::string team_claim;                  ///< empty: none
    Duration leeway = std::chrono::seconds(60);
    friend bool operator==(const TokenPolicy&, const TokenPolicy&) = default;
};

/// An OpenID Connect issuer. Its metadata and keys are fetched, in the background.
struct IssuerConfig {
    std::string issuer;         ///< a URL
    std::string discovery_url;  ///< of its metadata; empty: issuer + /.well-known/openid-configuration
    std::string jwks_url;       ///< of its keys; empty: as the metadata says
    std::string ca_file;        ///< PEM; empty: the system's
    TokenPolicy policy;
    friend bool operator==(const IssuerConfig&, const IssuerConfig&) = default;
};

}  // namespace spillway::config
