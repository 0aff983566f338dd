#include "routing/settle.hpp"

namespace spillway::routing {

void settle(quota::Mirror& mirror, const Lease& lease, const Outcome& outcome,
            const Verdict& verdict) noexcept {
    switch (verdict.whose) {
        case Whose::quota:
            mirror.refused(lease.quota, lease.at, outcome.limits, outcome.retry_after);
            return;
        case Whose::credential:
        case Whose::backend:
        case Whose::pair:
            mirror.unsent(lease.quota);
            return;
        case Whose::request:
            // The quota did not let it in, and is not used up.
            if (verdict.reason == Reason::too_large) return mirror.unsent(lease.quota);
            break;
        case Whose::client:
            // Its head is of no 2xx, so began() has not seen it; it may have been charged.
            (void)mirror.observe(lease.quota, lease.at, outcome.limits);
            break;
        case Whose::deployment:
        case Whose::nobody:
            break;
    }
    mirror.finished(lease.quota, outcome.tokens);
}

}  // namespace spillway::routing
