#pragma once
/// Unix time as a Wall. Thread rule: free functions, safe everywhere. Errors: none.
#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace spillway {

/// `seconds` after 1970. What 64 bits of nanoseconds cannot hold becomes a time they can, in 1684 or 2255:
/// certificates and keys that never end say so with the year 9999 (RFC 5280 §4.1.2.5).
[[nodiscard]] constexpr Wall wall_at(std::int64_t seconds) noexcept {
    constexpr std::int64_t far = 9'000'000'000;
    return Wall(std::chrono::seconds(std::clamp(seconds, -far, far)));
}

}  // namespace spillway
