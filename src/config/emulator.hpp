#pragma once
/// The configuration of `spillway emulate`: N Azure OpenAI resources, each on its own port.
///
/// Plain values with the defaults of docs/configuration.md; after loading, `resources` is always complete
/// (the short form `resources: 3` is expanded). Durations are spillway::Duration. What Azure does not
/// publish is a setting here. Thread rule: shared as const.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/secret.hpp"
#include "config/token_policy.hpp"

namespace spillway::config {

/// How long an answer takes: `ttft` ± jitter to the first token, then tokens at a rate.
struct LatencyConfig {
    Duration ttft = std::chrono::milliseconds(200);        ///< mean time to the first token
    Duration ttft_jitter = std::chrono::milliseconds(50);  ///< largest difference from the mean
    double tokens_per_second = 100;                        ///< mean rate of output; 0 = at once
    double jitter = 0.2;                                   ///< of each token's gap, as a fraction 0…1
    friend bool operator==(const LatencyConfig&, const LatencyConfig&) = default;
};

/// The estimate charged at admission: prompt characters ÷ chars_per_token + max_tokens (Azure publishes
/// that it estimates so, not the figures).
struct EstimateConfig {
    double chars_per_token = 4.0;              ///< > 0
    std::uint32_t default_output_tokens = 16;  ///< stands in for max_tokens when the request has none
    friend bool operator==(const EstimateConfig&, const EstimateConfig&) = default;
};

enum class DeploymentKind : std::uint8_t {
    payg,  ///< standard: token counter per minute and request windows
    ptu,   ///< provisioned: a leaky bucket of ptu_tokens_per_minute
};

struct EmulatedDeployment {
    std::string name;
    std::string model;
    DeploymentKind kind = DeploymentKind::payg;
    std::uint64_t tpm = 30'000;                          ///< payg: tokens per minute
    std::uint64_t rpm = 180;                             ///< payg: requests per minute
    Duration token_window = std::chrono::seconds(60);    ///< the token counter resets this often
    Duration request_window = std::chrono::seconds(10);  ///< RPM is held over windows this long
    std::uint64_t ptu_tokens_per_minute = 60'000;        ///< ptu: how fast the bucket drains
    EstimateConfig estimate;
    LatencyConfig latency;
    friend bool operator==(const EmulatedDeployment&, const EmulatedDeployment&) = default;
};

struct EmulatedResource {
    std::string name;  ///< unique
    std::uint16_t port = 0;
    std::vector<Secret> api_keys;  ///< each is accepted; empty: no key is required
    std::string region = "Sweden Central";
    bool accept_bearer = true;  ///< `Authorization: Bearer` with any token, as if from Entra
    bool strict = true;         ///< refuses the arguments, values and versions that Azure refuses
    std::vector<EmulatedDeployment> deployments;
    std::optional<IssuerConfig> entra{};  ///< accepts only its tokens, no key (`disableLocalAuth`)
    friend bool operator==(const EmulatedResource&, const EmulatedResource&) = default;
};

struct EmulatorConfig {
    std::string host = "127.0.0.1";
    std::uint16_t admin_port = 9100;  ///< faults on command, counters
    std::uint64_t seed = 1;           ///< latency and text repeat for the same seed
    std::vector<EmulatedResource> resources;
    friend bool operator==(const EmulatorConfig&, const EmulatorConfig&) = default;
};

[[nodiscard]] std::string_view to_string(DeploymentKind kind) noexcept;

}  // namespace spillway::config
