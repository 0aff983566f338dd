#include "routing/settle.hpp"

namespace spillway::routing {

TripReason trip_reason(OutcomeKind kind) noexcept {
    switch (kind) {
        case OutcomeKind::throttled:
            return TripReason::throttled;
        case OutcomeKind::unauthorized:
            return TripReason::unauthorized;
        case OutcomeKind::server_error:
            return TripReason::server_error;
        case OutcomeKind::connect_error:
            return TripReason::connect_error;
        case OutcomeKind::timeout:
            return TripReason::timeout;
        case OutcomeKind::broken:
            return TripReason::broken;
        case OutcomeKind::served:
        case OutcomeKind::client_error:
        case OutcomeKind::cancelled:
            break;
    }
    return TripReason::none;
}

void settle(quota::Mirror& mirror, const Lease& lease, const Outcome& outcome) noexcept {
    switch (outcome.kind) {
        case OutcomeKind::throttled:
            mirror.refused(lease.quota, lease.at, outcome.limits, outcome.retry_after);
            return;
        case OutcomeKind::unauthorized:
        case OutcomeKind::connect_error:
            mirror.unsent(lease.quota);
            return;
        case OutcomeKind::client_error:
            // Its head is of no 2xx, so began() has not seen it; it may have been charged.
            (void)mirror.observe(lease.quota, lease.at, outcome.limits);
            break;
        case OutcomeKind::served:
        case OutcomeKind::server_error:
        case OutcomeKind::timeout:
        case OutcomeKind::broken:
        case OutcomeKind::cancelled:
            break;
    }
    mirror.finished(lease.quota, outcome.tokens);
}

}  // namespace spillway::routing
