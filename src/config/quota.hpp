#pragma once
/// What clients, their users and teams may use, who they are, and what tokens count and cost.
///
/// Plain values with the defaults of docs/configuration.md. 0 is no limit. Money is in the currency of the
/// prices, whatever that is. Thread rule: as config/gateway.hpp.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "config/secret.hpp"
#include "config/token_policy.hpp"

namespace spillway::config {

/// Per calendar period, in UTC.
template <class T>
struct PerPeriod {
    T hour{};
    T day{};
    T week{};  ///< begins on Monday
    T month{};
    friend bool operator==(const PerPeriod&, const PerPeriod&) = default;
};

struct QuotaConfig {
    std::uint64_t tokens_per_minute = 0;  ///< weighted
    std::uint64_t requests_per_minute = 0;
    std::uint64_t concurrency = 0;
    PerPeriod<std::uint64_t> tokens;  ///< weighted
    PerPeriod<double> budget;
    bool shadow = false;  ///< count, refuse nothing
    friend bool operator==(const QuotaConfig&, const QuotaConfig&) = default;
};

enum class PriorityClass : std::uint8_t { low, normal, high };
[[nodiscard]] std::string_view to_string(PriorityClass priority) noexcept;

struct TeamConfig {
    std::string name;  ///< unique among teams
    QuotaConfig limits;
    friend bool operator==(const TeamConfig&, const TeamConfig&) = default;
};

/// Each user has these limits to itself.
struct UsersConfig {
    bool field = false;  ///< the body's `user` names the user, if nothing better does
    QuotaConfig limits;
    friend bool operator==(const UsersConfig&, const UsersConfig&) = default;
};

/// Bearer tokens (RFC 7519) that name clients, users and teams. Off without keys.
struct JwtConfig {
    std::string jwks_file;  ///< RSA and EC keys (RFC 7517)
    Secret secret;          ///< for HS256
    std::string issuer;     ///< `iss` must be this; empty: any
    std::string audience;   ///< `aud` must contain this; empty: any
    std::string client_claim = "azp";
    std::string user_claim;  ///< empty: none
    std::string team_claim;  ///< empty: none
    Duration leeway = std::chrono::seconds(60);
    [[nodiscard]] bool enabled() const noexcept { return !jwks_file.empty() || !secret.empty(); }
    friend bool operator==(const JwtConfig&, const JwtConfig&) = default;
};

/// Fields by which a proxy in front names the client, user and team. Believed only from trusted proxies.
struct TrustedHeadersConfig {
    std::string client;  ///< a field's name; empty: none (also below)
    std::string user;
    std::string team;
    std::vector<std::string> proxies;  ///< addresses or networks: 10.0.0.0/8, ::1
    friend bool operator==(const TrustedHeadersConfig&, const TrustedHeadersConfig&) = default;
};

struct IdentityConfig {
    JwtConfig jwt;
    TrustedHeadersConfig headers;
    std::vector<IssuerConfig> issuers;

    /// Whether tokens name clients.
    [[nodiscard]] bool has_tokens() const noexcept { return jwt.enabled() || !issuers.empty(); }
    friend bool operator==(const IdentityConfig&, const IdentityConfig&) = default;
};

/// What a token of each kind counts in quotas.
struct WeightsConfig {
    double prompt = 1;
    double cached = 1;
    double completion = 1;
    double reasoning = 1;
    friend bool operator==(const WeightsConfig&, const WeightsConfig&) = default;
};

/// Per million tokens.
struct PriceConfig {
    double prompt = 0;
    double cached = 0;  ///< the prompt's price if not said
    double completion = 0;
    friend bool operator==(const PriceConfig&, const PriceConfig&) = default;
};

/// The whole capacity that clients share fairly once 80 % of it is in use; 0: not watched.
struct FairnessConfig {
    std::uint64_t tokens_per_minute = 0;
    std::uint64_t concurrency = 0;
    friend bool operator==(const FairnessConfig&, const FairnessConfig&) = default;
};

/// Redis or Valkey, through which replicas share limits.
struct RedisConfig {
    std::string host;  ///< empty: no sharing
    std::uint16_t port = 6379;
    bool tls = false;
    std::uint32_t database = 0;
    std::string username;
    Secret password;
    std::string prefix = "spillway";
    bool verify = true;
    std::string ca_file;
    std::uint32_t replicas = 1;  ///< to assume until the server has told how many there are
    Duration interval = std::chrono::milliseconds(50);  ///< between two rounds of reports
    Duration timeout = std::chrono::milliseconds(500);  ///< of one round
    [[nodiscard]] bool enabled() const noexcept { return !host.empty(); }
    friend bool operator==(const RedisConfig&, const RedisConfig&) = default;
};

}  // namespace spillway::config
