#pragma once
/// The live state of one deployment of a backend: what Azure's quotas, and most failures, are about.
///
/// Ownership: shared by the routers of before and after a reload. Thread rule: any thread, atomics; the name
/// changes under the backend's lock only.
#include <atomic>
#include <cstdint>
#include <string>

#include "config/backend.hpp"
#include "quota/mirror.hpp"
#include "routing/circuit_breaker.hpp"
#include "routing/failure_counter.hpp"
#include "routing/negative_cache.hpp"

namespace spillway::routing {

/// What each look at it reads comes first, in one cache line.
struct alignas(64) Slot {
    Slot(std::string deployment, const config::BackendConfig& backend)
        : mirror(backend), name(std::move(deployment)) {}

    CircuitBreaker quota;     ///< closed by 429
    CircuitBreaker failures;  ///< closed by strikes
    NegativeCache missing;
    FailureCounter strikes;
    std::atomic<std::uint32_t> in_flight{0};
    std::atomic<bool> asked{false};
    quota::Mirror mirror;
    std::atomic<std::int64_t> merged{0};  ///< ns of Mono: until when others reported its quota used up
    std::string name;
    std::atomic<std::uint32_t> users{0};  ///< names that map to it, see BackendState
    bool many = false;  ///< stands for all names beyond the bound: what one learns does not hold for others

    /// Another name takes its place. What the mirror knows of limits stays a guess.
    void rename(std::string to) {
        name = std::move(to);
        quota.reset();
        failures.reset();
        missing.forget();
        strikes.reset();
        asked.store(false, std::memory_order_relaxed);
        merged.store(0, std::memory_order_relaxed);
    }
};

}  // namespace spillway::routing
