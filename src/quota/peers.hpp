#pragma once
/// What the replicas of a gateway report to each other of their backends: how much each has sent, and who is
/// out of service until when. A replica's own heads tell it the rest; this is for what it could otherwise
/// learn only by sending, and for backends that tell nothing of their counts.
///
/// Sums are absolute, so a report that is lost or sent twice does no harm. Only a replica's own findings are
/// reported, never what others observed.
///
/// Units: tokens as charged at admission, requests. Thread rule: values.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace spillway::quota {

/// Of one deployment of a backend, or, with an empty deployment, of the backend as a whole.
struct PeerReport {
    std::string backend;
    std::string deployment;
    std::int64_t tokens = 0;    ///< sent since the start
    std::int64_t requests = 0;  ///< sent since the start
    Duration cooling{};         ///< how long it stays out of service; zero: it does not
    std::uint8_t reason = 0;    ///< why; routing's affair
};

/// How a store asks for reports, and hands on those of others, whose sums count since the last time. Both are
/// called from the store's thread.
struct Peers {
    std::function<std::vector<PeerReport>(Mono)> report;
    std::function<void(const PeerReport&, Mono)> merge;
};

}  // namespace spillway::quota
