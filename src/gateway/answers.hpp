#pragma once
/// The outcomes of requests as clients saw them: counted by the workers, read by the admin plane.
///
/// Ownership: the Registry must outlive it; all Answers of one Registry are the same counters. Thread rule:
/// any thread.
#include "telemetry/metrics.hpp"

namespace spillway::gateway {

struct Answers {
    explicit Answers(telemetry::Registry& registry);

    telemetry::Counter& served;
    telemetry::Counter& limited;   ///< 429: the client's own limits
    telemetry::Counter& no_quota;  ///< 429: all backends are out of quota
    telemetry::Counter& refused;   ///< another 4xx
    telemetry::Counter& failed;    ///< 5xx
    telemetry::Counter& left;      ///< the client left
};

/// The gauge of requests in progress.
[[nodiscard]] telemetry::UpDown& requests_in_flight(telemetry::Registry& registry);

}  // namespace spillway::gateway
