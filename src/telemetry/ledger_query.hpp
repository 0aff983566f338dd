#pragma once
/// Totals from the usage ledger, for /api/usage and `spillway usage`.
///
/// Reads through its own connection, so it may run beside the gateway or in another process; WAL readers do
/// not block the writer. It blocks on the disk: not for an event loop's thread.
/// Thread rule: free functions, safe from any thread. Errors: returned.
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::telemetry {

/// What to group by; each one adds a key to the totals.
struct UsageGroups {
    bool client = false;
    bool key = false;  ///< made at run time
    bool user = false;
    bool team = false;
    bool deployment = false;
    bool backend = false;
    bool model = false;
    bool hour = false;    ///< UTC hour
    bool minute = false;  ///< UTC minute; overrides hour
};

struct UsageQuery {
    Wall from;  ///< inclusive, to the millisecond
    Wall to;    ///< exclusive
    UsageGroups by;
    std::string client;  ///< only this one; empty for all (also below)
    std::string key;
    std::string user;
    std::string team;
    std::string deployment;
    std::string backend;
    bool percentiles = false;    ///< requires sorting all rows
    std::size_t limit = 10'000;  ///< maximum number of totals
};

/// One group's sums; keys not grouped by are empty, `time` is the epoch.
struct UsageTotal {
    std::string client;
    std::string key;
    std::string user;
    std::string team;
    std::string deployment;
    std::string backend;
    std::string model;
    Wall time;  ///< start of the hour or minute
    std::uint64_t requests = 0;
    std::uint64_t failed = 0;     ///< status ≥ 400
    std::uint64_t estimated = 0;  ///< requests whose counts are estimates
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t reasoning_tokens = 0;
    std::uint64_t charged_tokens = 0;  ///< weighted, as quotas count them
    std::uint64_t cost = 0;            ///< in 10⁻⁷ of the currency
    std::uint64_t refused = 0;         ///< status 429
    std::uint64_t throttled = 0;       ///< 429s received from backends
    std::uint64_t spilled = 0;
    double avoided = 0;  ///< 429s avoided
    /// Of served requests only (status < 400; a refusal takes no time): NaN if there are none. Percentiles
    /// are by nearest rank, and NaN unless requested.
    double mean_ms = kUnknown;
    double p50_ms = kUnknown;
    double p95_ms = kUnknown;
    static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
};

/// Ordered by time, then client, key, user, team, deployment, backend, model.
/// A file from an older program is an Error until a gateway has opened and so migrated it.
[[nodiscard]] Result<std::vector<UsageTotal>> query_usage(const std::string& path, const UsageQuery& query);

}  // namespace spillway::telemetry
