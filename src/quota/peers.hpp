#pragma once
/// What a gateway's replicas report to each other about their backends: how much each has sent, and which are
/// out of service until when. A replica learns the rest from its own answers; this covers what it could
/// otherwise learn only by sending, and backends that do not report their counts.
///
/// Sums are absolute, so lost or repeated reports do no harm. A replica reports only its own findings, never
/// what others observed.
///
/// Units: tokens as charged at admission, requests. Thread rule: values.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace spillway::quota {

/// On one deployment of a backend, or, if that is empty, on the backend as a whole.
struct PeerReport {
    std::string backend;
    std::string deployment;
    std::int64_t tokens = 0;    ///< sent since the start
    std::int64_t requests = 0;  ///< sent since the start
    Duration cooling{};         ///< time left out of service; zero: in service
    std::uint8_t reason = 0;    ///< a routing::Reason
};

/// How a store collects reports, and delivers those of others, with sums since the last delivery. Both are
/// called from the store's thread.
struct Peers {
    std::function<std::vector<PeerReport>(Mono)> report;
    std::function<void(const PeerReport&, Mono)> merge;
};

}  // namespace spillway::quota
