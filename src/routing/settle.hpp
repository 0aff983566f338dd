#pragma once
/// What an attempt's end means for the mirror of a deployment's quota.
/// Thread rule: free functions, safe everywhere. Errors: none.
#include "quota/mirror.hpp"
#include "routing/choice.hpp"
#include "routing/outcome.hpp"

namespace spillway::routing {

/// Settles what the mirror holds for the lease.
void settle(quota::Mirror& mirror, const Lease& lease, const Outcome& outcome,
            const Verdict& verdict) noexcept;

}  // namespace spillway::routing
