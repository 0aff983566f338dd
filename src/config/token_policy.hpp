#pragma once
/// Which bearer tokens are accepted, and whom they identify. Plain values; thread rule as in
/// config/gateway.hpp.
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace spillway::config {

/// For each claim, the values of which it must have one. A claim may be a text, a number, a list of those, or
/// words in one text (`scp`).
using ClaimConditions = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Tokens that meet all of `when` belong to this client and team.
struct TokenRule {
    ClaimConditions when;
    std::string client;  ///< a client's name; empty: from the token
    std::string team;    ///< empty: from the token
    friend bool operator==(const TokenRule&, const TokenRule&) = default;
};

struct TokenPolicy {
    std::vector<std::string> issuers;        ///< `iss` must be one of these; empty: any
    std::vector<std::string> audiences;      ///< `aud` must have one of these; empty: any
    ClaimConditions require;                 ///< all must be met
    std::vector<TokenRule> rules;            ///< the first that matches applies
    std::vector<std::string> client_claims;  ///< the first one present names the client
    std::string user_claim;                  ///< empty: none
    std::string team_claim;                  ///< empty: none
    Duration leeway = std::chrono::seconds(60);
    friend bool operator==(const TokenPolicy&, const TokenPolicy&) = default;
};

/// An OpenID Connect issuer. Its metadata and keys are fetched in the background.
struct IssuerConfig {
    std::string issuer;         ///< a URL
    std::string discovery_url;  ///< for its metadata; empty: issuer + /.well-known/openid-configuration
    std::string jwks_url;       ///< for its keys; empty: from the metadata
    std::string ca_file;        ///< PEM; empty: the system's
    TokenPolicy policy;
    friend bool operator==(const IssuerConfig&, const IssuerConfig&) = default;
};

}  // namespace spillway::config
