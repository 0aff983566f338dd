#pragma once
/// Invented time for the quota tests: both clocks move together.
#include "quota/client_usage.hpp"

namespace spillway::quota::test {

/// Noon on 31 January 2025, a Friday, and a monotonic clock that began 1000 s before.
inline Now at(Duration after) {
    const Wall noon = std::chrono::sys_days(std::chrono::year(2025) / 1 / 31) + std::chrono::hours(12);
    return {Mono(std::chrono::seconds(1000)) + after, noon + after};
}

}  // namespace spillway::quota::test
