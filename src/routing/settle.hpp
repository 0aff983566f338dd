#pragma once
/// What an outcome means for the gates and for the mirror of a deployment's quota.
/// Thread rule: free functions, safe everywhere. Errors: none.
#include "routing/availability.hpp"
#include "routing/router.hpp"

namespace spillway::routing {

/// none for outcomes that close no gate.
[[nodiscard]] TripReason trip_reason(OutcomeKind kind) noexcept;

/// Settles what the mirror holds for the lease.
void settle(quota::Mirror& mirror, const Lease& lease, const Outcome& outcome) noexcept;

}  // namespace spillway::routing
