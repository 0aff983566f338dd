#pragma once
/// The gateway's metrics. A Metrics belongs to one worker: it remembers which counter belongs to which
/// labels, so that counting takes no lock and builds no string.
///
/// Names follow Prometheus' habits: seconds, `_total`. Ownership: the Registry must outlive it.
/// Thread rule: a Metrics from its worker's thread only; the counters themselves are shared.
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/usage.hpp"
#include "base/clock.hpp"
#include "gateway/answers.hpp"
#include "routing/router.hpp"
#include "telemetry/metrics.hpp"

namespace spillway::gateway {

class Metrics {
public:
    explicit Metrics(telemetry::Registry& registry);

    struct Subject {
        std::string_view client;
        std::uint32_t client_index = 0;
        std::string_view deployment;
        std::uint32_t deployment_index = 0;
    };
    /// One request's end. `rescued`: served after at least one attempt failed.
    void request(const Subject& who, int status, Duration total, bool rescued);
    void first_byte(std::string_view backend, std::uint32_t backend_index, Duration took);
    void attempt(std::string_view backend, std::uint32_t backend_index, routing::OutcomeKind kind);
    void tokens(const Subject& who, const api::Usage& usage);

    telemetry::UpDown& in_flight;
    const Answers answers;

private:
    struct Tokens {
        telemetry::Counter* prompt;
        telemetry::Counter* completion;
        telemetry::Counter* cached;
        telemetry::Counter* reasoning;
    };
    telemetry::Registry& registry_;
    telemetry::Histogram& request_seconds_;
    telemetry::Counter& rescued_;
    std::unordered_map<std::uint64_t, telemetry::Counter*> requests_;
    std::unordered_map<std::uint64_t, telemetry::Counter*> attempts_;
    std::unordered_map<std::uint64_t, Tokens> tokens_;
    std::vector<telemetry::Histogram*> first_byte_;
};

}  // namespace spillway::gateway
