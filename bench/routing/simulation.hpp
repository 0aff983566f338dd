#pragma once
/// One run on a virtual clock: jobs arrive, a policy sends them to real AzureQuota models, answers come back.
#include <cstdint>
#include <vector>

#include "policy.hpp"

namespace spillway::bench {

struct Setup {
    std::size_t backends = 3;
    Duration max_wait{};      ///< how long a request may be held until some quota frees; zero: not at all
    Duration warm_up{};       ///< what arrives before this is not counted
    bool limits_told = true;  ///< x-ratelimit-limit-*: Azure does not always tell them
    std::uint64_t seed = 1;   ///< of phases, latencies and the policy
    /// Time from the start to each backend's first reset; empty: drawn.
    std::vector<Duration> first_resets;
};

struct Tally {
    std::uint64_t requests = 0;
    std::uint64_t refused = 0;  ///< 429s that clients saw
    std::uint64_t wasted = 0;   ///< 429s from backends
    std::uint64_t offered = 0;  ///< tokens, in what backends charge
    std::uint64_t goodput = 0;  ///< tokens charged of served requests
    std::uint64_t waited = 0;   ///< requests that were held
    Duration wait_sum{};
    Duration wait_most{};

    Tally& operator+=(const Tally& o);
    [[nodiscard]] double refused_per_1000() const;
    [[nodiscard]] double wasted_per_1000() const;
};

[[nodiscard]] Tally run(const Named& policy, const std::vector<Job>& jobs, const Setup& setup);

}  // namespace spillway::bench
