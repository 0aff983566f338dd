#include "routing/retry_budget.hpp"

#include <algorithm>

namespace spillway::routing {

RetryBudget::RetryBudget(const config::RetryBudget& config) noexcept
    : share_(config.ratio > 0
                 ? static_cast<std::int64_t>(std::min(config.ratio, 1000.0) * static_cast<double>(one))
                 : 0),
      // Less than one could never be taken, whatever the ratio earns.
      most_(std::max<std::int64_t>(config.burst * one, share_ > 0 ? one : 0)),
      saved_(config.burst * one) {}

void RetryBudget::earn() noexcept {
    std::int64_t old = saved_.load(std::memory_order_relaxed);
    while (old < most_) {
        if (saved_.compare_exchange_weak(old, std::min(most_, old + share_), std::memory_order_relaxed))
            return;
    }
}

bool RetryBudget::try_acquire() noexcept {
    std::int64_t old = saved_.load(std::memory_order_relaxed);
    while (old >= one) {
        if (saved_.compare_exchange_weak(old, old - one, std::memory_order_relaxed)) return true;
    }
    return false;
}

}  // namespace spillway::routing
