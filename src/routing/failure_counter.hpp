#pragma once
/// Decides when failures of one deployment show that it is unhealthy: several different requests in a row, or
/// a share of recent ones (as in Envoy's outlier detection: consecutive 5xx and failure percentage).
///
/// While nothing fails, a success writes nothing. Thread rule: any thread; one atomic word, no lock; counts
/// may miss requests that end at the same moment. Errors: none.
#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace spillway::routing {

class FailureCounter {
public:
    static constexpr std::uint32_t in_a_row = 3;
    /// Or at least this many failures within `recent`, if they are half of all requests.
    static constexpr std::uint32_t at_least = 10;
    static constexpr Duration recent = std::chrono::seconds(10);

    struct Count {
        bool counted = false;
        bool enough = false;
    };
    /// A request failed. The same request (Ask::fingerprint) sent again does not count twice in a row; 0
    /// always counts.
    [[nodiscard]] Count failed(std::uint64_t fingerprint, Mono now) noexcept;
    void succeeded(Mono now) noexcept;
    /// The last failure was not the deployment's fault.
    void undo() noexcept;
    void reset() noexcept { word_.store(0, std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> word_{0};
};

}  // namespace spillway::routing
