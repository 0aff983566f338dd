#pragma once
/// The limits of clients, users and teams, how these are identified, and how tokens are weighted and priced.
///
/// Plain values with the defaults of docs/configuration.md. 0 means no limit. Money is in the currency of the
/// prices, whichever it is. Thread rule: as in config/gateway.hpp.
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
    bool shadow = false;  ///< count, but refuse nothing
    friend bool operator==(const QuotaConfig&, const QuotaConfig&) = default;
};

enum class PriorityClass : std::uint8_t { low, normal, high };
[[nodiscard]] std::string_view to_string(PriorityClass priority) noexcept;

struct TeamConfig {
    std::string name;  ///< unique among teams
    QuotaConfig limits;
    friend bool operator==(const TeamConfig&, const TeamConfig&) = default;
};

/// These limits apply to each user separately.
struct UsersConfig {
    bool field = false;  ///< take the user from the body's `user` if nothing better names it
    QuotaConfig limits;
    friend bool operator==(const UsersConfig&, const UsersConfig&) = default;
};

/// Bearer tokens (RFC 7519) that identify clients, users and teams. Disabled without keys.
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

/// Header fields in which a proxy in front names client, user and team. Trusted only from these proxies.
struct TrustedHeadersConfig {
    std::string client;  ///< a field name; empty: none (also below)
    std::string user;
    std::string team;
    std::vector<std::string> proxies;  ///< addresses or networks: 10.0.0.0/8, ::1
    friend bool operator==(const TrustedHeadersConfig&, const TrustedHeadersConfig&) = default;
};

struct IdentityConfig {
    JwtConfig jwt;
    TrustedHeadersConfig headers;
    std::vector<IssuerConfig> issuers;

    /// Whether tokens identify clients.
    [[nodiscard]] bool has_tokens() const noexcept { return jwt.enabled() || !issuers.empty(); }
    friend bool operator==(const IdentityConfig&, const IdentityConfig&) = default;
};

/// How much a token of each kind counts in quotas.
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
    double cached = 0;  ///< the prompt's price if not set
    double completion = 0;
    friend bool operator==(const PriceConfig&, const PriceConfig&) = default;
};

/// The total capacity, which clients share fairly once 80 % of it is in use; 0: no fair sharing.
struct FairnessConfig {
    std::uint64_t tokens_per_minute = 0;
    std::uint64_t concurrency = 0;
    friend bool operator==(const FairnessConfig&, const FairnessConfig&) = default;
};

/// Redis or Valkey, through which replicas share limits.
struct RedisConfig {
    std::string host;  ///< empty: no sharing; with sentinels, the name they know the primary by
    std::uint16_t port = 6379;
    bool tls = false;
    std::uint32_t database = 0;
    std::string username;
    Secret password;
    std::vector<std::string> sentinels;  ///< host:port of each; empty: the host is the server
    Secret sentinel_password;
    std::string prefix = "spillway";
    bool verify = true;
    std::string ca_file;
    std::uint32_t replicas = 1;                         ///< number assumed until the server reports it
    Duration interval = std::chrono::milliseconds(50);  ///< between two rounds of reports
    Duration timeout = std::chrono::milliseconds(500);  ///< of one round
    [[nodiscard]] bool enabled() const noexcept { return !host.empty(); }
    friend bool operator==(const RedisConfig&, const RedisConfig&) = default;
};

}  // namespace spillway::config
