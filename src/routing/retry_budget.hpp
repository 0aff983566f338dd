#pragma once
/// Keeps retries within ratio × requests, plus what was saved up (config::RetryBudget), so that retries never
/// double the load of a service that is failing as a whole.
/// Thread rule: any thread; one atomic, no lock. Errors: none.
#include <atomic>
#include <cstdint>

#include "config/gateway.hpp"

namespace spillway::routing {

class RetryBudget {
public:
    /// Starts full. A ratio below 0 or not a number counts as 0.
    explicit RetryBudget(const config::RetryBudget& config) noexcept;

    /// A request came: it earns its share of a retry.
    void earn() noexcept;
    /// Takes one retry; false: none is left.
    [[nodiscard]] bool try_acquire() noexcept;

private:
    static constexpr std::int64_t one = 1'000'000;  ///< a retry in millionths
    std::int64_t share_;
    std::int64_t most_;
    std::atomic<std::int64_t> saved_;
};

}  // namespace spillway::routing
