#pragma once
/// Limits retries to ratio × requests, plus what was saved up (config::RetryBudget), so that retries never
/// double the load of a service that is failing altogether.
/// Thread rule: any thread; one atomic, no lock. Errors: none.
#include <atomic>
#include <cstdint>

#include "config/gateway.hpp"

namespace spillway::routing {

class RetryBudget {
public:
    /// Starts full. A ratio that is negative or NaN counts as 0.
    explicit RetryBudget(const config::RetryBudget& config) noexcept;

    /// Call for each request: it earns its share of a retry.
    void earn() noexcept;
    /// Spends one retry; false if none is left.
    [[nodiscard]] bool try_acquire() noexcept;

private:
    static constexpr std::int64_t one = 1'000'000;  ///< a retry in millionths
    std::int64_t share_;
    std::int64_t most_;
    std::atomic<std::int64_t> saved_;
};

}  // namespace spillway::routing
