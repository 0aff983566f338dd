#pragma once
/// How a Meter packs its state: time in ticks of 16 ms, 24 bits of it (74 h, modular), 8 bits of generation,
/// 32 bits of count. Thread rule: free functions.
#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace spillway::quota::word {

inline constexpr Duration tick = std::chrono::milliseconds(16);
inline constexpr std::uint64_t time_mask = (std::uint64_t{1} << 24U) - 1;
inline constexpr std::uint64_t most = 0xffffffffU;

[[nodiscard]] constexpr std::int64_t floor_ticks(Mono t) noexcept {
    return t.time_since_epoch() / tick;
}
[[nodiscard]] constexpr std::int64_t ticks(Duration d) noexcept {
    return (d + tick - Duration(1)) / tick;
}

/// The time nearest to `now` whose low 24 bits are `low`.
[[nodiscard]] constexpr std::int64_t near(std::uint64_t low, std::int64_t now) noexcept {
    const auto ahead = static_cast<std::int64_t>((low - static_cast<std::uint64_t>(now)) & time_mask);
    const auto range = static_cast<std::int64_t>(time_mask) + 1;
    return now + (ahead >= range / 2 ? ahead - range : ahead);
}

[[nodiscard]] constexpr std::uint64_t pack(std::int64_t time, std::uint8_t generation,
                                           std::uint64_t count) noexcept {
    return ((static_cast<std::uint64_t>(time) & time_mask) << 40U) |
           (static_cast<std::uint64_t>(generation) << 32U) | std::min(count, most);
}
[[nodiscard]] constexpr std::uint64_t time_of(std::uint64_t w) noexcept {
    return w >> 40U;
}
[[nodiscard]] constexpr std::uint8_t generation_of(std::uint64_t w) noexcept {
    return static_cast<std::uint8_t>(w >> 32U);
}
[[nodiscard]] constexpr std::uint64_t count_of(std::uint64_t w) noexcept {
    return w & most;
}
/// Generation 0 means "none".
[[nodiscard]] constexpr std::uint8_t next(std::uint8_t generation) noexcept {
    return generation == 255 ? std::uint8_t{1} : static_cast<std::uint8_t>(generation + 1);
}

}  // namespace spillway::quota::word
