#pragma once
/// Applies an attempt's end to the mirror of a deployment's quota.
/// Thread rule: free functions, safe everywhere. Errors: none.
#include "quota/mirror.hpp"
#include "routing/choice.hpp"
#include "routing/outcome.hpp"

namespace spillway::routing {

/// Settles the lease's reservation in the mirror.
void settle(quota::Mirror& mirror, const Lease& lease, const Outcome& outcome,
            const Verdict& verdict) noexcept;

}  // namespace spillway::routing
