#pragma once
/// What is compared: a policy picks a backend for each attempt and hears what came of it.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/rate_limit.hpp"
#include "config/backend.hpp"
#include "emulator/azure_quota.hpp"
#include "quota/estimator.hpp"
#include "routing/router.hpp"
#include "workload.hpp"

namespace spillway::bench {

using Backends = std::vector<emulator::AzureQuota>;

/// One attempt, as a policy keeps it until it has ended.
struct Attempt {
    std::uint32_t backend = 0;
    routing::Lease lease;       ///< the router's own
    quota::RequestShape shape;  ///< the same
};

struct Picked {
    std::optional<Attempt> attempt;
    Duration retry_in = std::chrono::seconds(10);  ///< without one
};

class Policy {
public:
    virtual ~Policy() = default;
    [[nodiscard]] virtual Picked pick(const Job& job, std::span<const std::uint32_t> tried, Mono now) = 0;
    virtual void began(const Attempt&, const api::RateLimits&, Mono) {}
    virtual void served(const Attempt&, const Job&, Mono) {}
    virtual void throttled(const Attempt&, const api::RateLimits&, Duration retry_after, Mono now) = 0;
    virtual void came() {}
};

struct Named {
    std::string name;
    std::function<std::unique_ptr<Policy>(Backends& real, std::uint64_t seed)> make;
};

/// The router of this project. `configured`: are tpm and rpm in its configuration?
[[nodiscard]] Named spillway(std::string name, routing::Options options, bool configured);
/// openai-apim-lb: lowest unthrottled, random among ties, Retry-After (whole seconds) else 10 s.
[[nodiscard]] Named apim_policy();
/// One after the other; a refusal is tried again on the next, once each.
[[nodiscard]] Named round_robin();
/// API Management's pool of equal weights with a circuit breaker that trips at the first 429 for Retry-After.
[[nodiscard]] Named apim_pool();
enum class Oracle : std::uint8_t {
    soonest,   ///< sends to the window that ends first
    even,      ///< to the one that is farthest behind an even use
    learning,  ///< as the first, but knows a window's end only once it has ended before
};
/// Knows the real counters: sends where it will be admitted.
[[nodiscard]] Named oracle(Oracle how);

}  // namespace spillway::bench
