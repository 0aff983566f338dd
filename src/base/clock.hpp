#pragma once
/// Time as values. Decision code (routing, quota) never reads a clock: it is given `now`, so that tests
/// run it on made-up time without sleeping. Code at the edge reads `mono_now()` or `wall_now()` once
/// per event and passes the value down.
///
/// Units: nanoseconds inside the types. Thread rule: free functions, safe everywhere.
#include <chrono>

namespace spillway {

using Duration = std::chrono::nanoseconds;
/// Monotonic time: windows, cool-downs, time-outs.
using Mono = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// Calendar time: HTTP dates, log lines, ledger rows.
using Wall = std::chrono::time_point<std::chrono::system_clock, Duration>;

[[nodiscard]] inline Mono mono_now() noexcept {
    return std::chrono::steady_clock::now();
}
[[nodiscard]] inline Wall wall_now() noexcept {
    return std::chrono::system_clock::now();
}

[[nodiscard]] constexpr double to_seconds(Duration d) noexcept {
    return std::chrono::duration<double>(d).count();
}
[[nodiscard]] constexpr Duration from_seconds(double s) noexcept {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

}  // namespace spillway
