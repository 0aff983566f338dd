#pragma once
/// The live state of one deployment of a backend, which is what Azure's quotas and most failures concern.
///
/// Ownership: shared by the routers before and after a reload. Thread rule: any thread, atomics; the name
/// changes only under the backend's lock. Errors: none.
#include <atomic>
#include <cstdint>
#include <string>

#include "config/backend.hpp"
#include "quota/mirror.hpp"
#include "routing/circuit_breaker.hpp"
#include "routing/concurrency_limit.hpp"
#include "routing/failure_counter.hpp"
#include "routing/negative_cache.hpp"

namespace spillway::routing {

/// What is read whenever it is examined comes first, in one cache line.
struct alignas(64) Slot {
    Slot(std::string deployment, const config::BackendConfig& backend)
        : mirror(backend), name(std::move(deployment)) {}

    CircuitBreaker quota;     ///< opened by 429
    CircuitBreaker failures;  ///< opened by strikes
    NegativeCache missing;
    FailureCounter strikes;
    std::atomic<std::uint32_t> in_flight{0};
    std::atomic<bool> asked{false};
    std::atomic<std::uint32_t> most_in_flight{0};  ///< that of `concurrency`; 0: no limit
    quota::Mirror mirror;
    std::atomic<std::int64_t> merged{0};  ///< ns of Mono: until when others reported its quota exhausted
    std::string name;
    std::atomic<std::uint32_t> users{0};     ///< names that map to it; see BackendState
    std::atomic<std::int64_t> kept_away{0};  ///< ns of Mono: when a request last found no place
    std::atomic<bool> many{false};  ///< for all names beyond the bound: what one shows is not true of others

    /// Reuses it for another name. The mirror's limits remain as a guess.
    void rename(std::string to) {
        name = std::move(to);
        quota.reset();
        failures.reset();
        missing.forget();
        strikes.reset();
        asked.store(false, std::memory_order_relaxed);
        merged.store(0, std::memory_order_relaxed);
        learn([](ConcurrencyLimit& limit) {
            limit = {};
            return ConcurrencyLimit::Change::none;
        });
    }

    /// Gives an event to the limit. Nobody waits: while another thread does the same, the event is lost,
    /// and others of its kind will come.
    template <typename Event>
    ConcurrencyLimit::Change learn(Event&& event) {
        if (learning_.test_and_set(std::memory_order_acquire)) return ConcurrencyLimit::Change::none;
        const ConcurrencyLimit::Change change = event(concurrency_);
        if (concurrency_.limit() != most_in_flight.load(std::memory_order_relaxed))
            most_in_flight.store(concurrency_.limit(), std::memory_order_relaxed);
        learning_.clear(std::memory_order_release);
        return change;
    }

private:
    std::atomic_flag learning_;
    ConcurrencyLimit concurrency_;
};

}  // namespace spillway::routing
