#pragma once
/// How the gateway's replicas share limits, so that a limit is not multiplied by their number.
///
/// Each replica knows its own usage exactly. From time to time it reports that sum to the store, and asks for
/// a lease: an allowance to use that much more without asking again. For each limit and replica the store
/// keeps the last reported usage and the lease, and grants only what satisfies
///
///     sum over replicas of (usage reported + lease granted)  <=  limit
///
/// What a replica uses after its report comes out of its lease, so the true sum never exceeds that bound,
/// however old the reports are. Reports are absolute: one sent twice, or to a store that has lost its data,
/// does no harm, and a replica that was cut off is reconciled by its next report.
///
/// Thread rule: report() and apply() on one thread (the store's), concurrently with admission. Errors: none.
#include <cstdint>
#include <string>

#include "quota/client_usage.hpp"

namespace spillway::quota {

/// A replica's report on one limit.
struct ShareReport {
    std::int64_t limit = 0;  ///< 0: no limit; nothing to share
    std::int64_t used = 0;   ///< by this replica
    std::int64_t lease = 0;  ///< what it still holds
    std::int64_t want = 0;   ///< what it would like to hold
    /// How long the usage counts after a replica's last report: 61 s for a minute's window, the rest of a
    /// period, or a few seconds for what is in flight.
    Duration usage_life{};
    std::int64_t epoch = 0;  ///< a calendar period's index; each epoch has its own sum
};

/// The store's answer.
struct ShareAnswer {
    std::int64_t granted = 0;  ///< the lease it holds now
    std::int64_t others = 0;   ///< used by the other replicas
    std::uint32_t replicas = 1;
    bool contended = false;  ///< a replica wanted more than was free
};

/// One limit as the store sees it.
class Shareable {
public:
    Shareable() = default;
    Shareable(const Shareable&) = delete;
    Shareable& operator=(const Shareable&) = delete;
    virtual ~Shareable() = default;
    /// May reduce the lease held.
    [[nodiscard]] virtual ShareReport report(Now now) noexcept = 0;
    virtual void apply(const ShareReport& reported, const ShareAnswer& answer, Now now) noexcept = 0;
    /// The store is unreachable: continue with limit / replicas.
    virtual void cut_off(std::uint32_t replicas) noexcept = 0;
};

}  // namespace spillway::quota
