#pragma once
/// One run's requests as a file, and the simulation of exactly these: for bench/routing/live, which replays
/// them against the program itself.
///
///     routing_bench trace LOAD SECONDS SEED                      a JSON line for each request
///     routing_bench simulate LOAD SECONDS SEED RESET RESET RESET one JSON line: means of 20 runs
///
/// LOAD: share of the three quotas, 0.9 say. RESET: seconds from the start until a backend's tokens are set
/// to zero for the first time. The runs differ in the router's dice and the latencies, not in the requests.
#include <span>
#include <string_view>

namespace spillway::bench {

/// Returns the exit status.
[[nodiscard]] int trace_command(std::span<const std::string_view> arguments);

}  // namespace spillway::bench
