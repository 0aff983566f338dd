#pragma once
/// How limits are shared by the gateway's replicas, so that a limit does not multiply by their number.
///
/// Each replica knows its own usage exactly. Now and then it tells the store that sum, and asks for a lease:
/// an allowance to use up to so much more without asking again. The store keeps, per limit and replica, the
/// last told usage and the lease, and grants only what keeps
///
///     sum over replicas of (usage told + lease granted)  <=  limit
///
/// What a replica uses after its report comes out of its lease, so the true sum never exceeds that bound,
/// however old the reports are. Reports are absolute values: one that is sent twice, or to a store that has
/// lost its data, does no harm, and a replica that was cut off reconciles by its next report.
///
/// Thread rule: share.report() and share.apply() from one thread (the store's); admission runs beside them.
#include <cstdint>
#include <string>

#include "quota/client_usage.hpp"

namespace spillway::quota {

/// What a replica tells of one limit.
struct ShareReport {
    std::int64_t limit = 0;  ///< 0: no limit; nothing to share
    std::int64_t used = 0;   ///< by this replica
    std::int64_t lease = 0;  ///< allowance it still holds
    std::int64_t want = 0;   ///< allowance it would like to hold
    /// How long the usage counts after a replica's last report: 61 s of a minute's window, the rest of a
    /// period, a few seconds for what is in flight.
    Duration usage_life{};
    std::int64_t epoch = 0;  ///< a calendar period's index: other epochs are other sums
};

/// What the store answers.
struct ShareAnswer {
    std::int64_t granted = 0;  ///< the lease it holds now
    std::int64_t others = 0;   ///< used by the other replicas
    std::uint32_t replicas = 1;
    bool contended = false;  ///< someone wanted more than was free
};

/// One limit as the store sees it.
class Shareable {
public:
    Shareable() = default;
    Shareable(const Shareable&) = delete;
    Shareable& operator=(const Shareable&) = delete;
    virtual ~Shareable() = default;
    /// May shrink the lease held.
    [[nodiscard]] virtual ShareReport report(Now now) noexcept = 0;
    virtual void apply(const ShareReport& reported, const ShareAnswer& answer, Now now) noexcept = 0;
    /// The store cannot be reached: go on with limit / replicas of its own.
    virtual void cut_off(std::uint32_t replicas) noexcept = 0;
};

}  // namespace spillway::quota
