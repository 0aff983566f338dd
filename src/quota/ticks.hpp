#pragma once
/// The meters' clock: whole ticks of 16 ms since the monotonic clock's epoch. Thread rule: free
/// functions.
#include <cstdint>

#include "base/clock.hpp"

namespace spillway::quota {

inline constexpr Duration tick_length = std::chrono::milliseconds(16);

/// Requests sent within this many ticks of each other may reach the backend in reverse order.
inline constexpr std::int64_t reorder_ticks = 3;
/// By how much the time a request was sent may differ from the time the backend counted it: rounding, and
/// paths of different length.
inline constexpr std::int64_t jitter_ticks = 2;

[[nodiscard]] constexpr std::int64_t floor_ticks(Mono t) noexcept {
    return t.time_since_epoch() / tick_length;
}
[[nodiscard]] constexpr std::int64_t ceil_ticks(Duration d) noexcept {
    return (d + tick_length - Duration(1)) / tick_length;
}
[[nodiscard]] constexpr Mono time_of(std::int64_t tick) noexcept {
    return Mono(tick_length * tick);
}

}  // namespace spillway::quota
