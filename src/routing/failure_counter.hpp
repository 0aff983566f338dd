#pragma once
/// When do failures of one deployment mean that it is unwell? A few in a row of different requests, or a
/// share of those that came of late (Envoy's outlier detection: consecutive 5xx and failure percentage).
///
/// While nothing fails, a success writes nothing. Thread rule: any thread; one atomic word, no lock; counts
/// may be off by those that end in the same moment. Errors: none.
#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace spillway::routing {

class FailureCounter {
public:
    static constexpr std::uint32_t in_a_row = 3;
    /// At least so many failures within `recent`, and half of all.
    static constexpr std::uint32_t at_least = 10;
    static constexpr Duration recent = std::chrono::seconds(10);

    struct Count {
        bool counted = false;
        bool enough = false;
    };
    /// A request failed; `fingerprint` is the request's (Ask::fingerprint): the same one sent again does not
    /// count twice in a row. 0: it counts in any case.
    [[nodiscard]] Count failed(std::uint64_t fingerprint, Mono now) noexcept;
    void succeeded(Mono now) noexcept;
    /// The last failure was not its own.
    void undo() noexcept;
    void reset() noexcept { word_.store(0, std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> word_{0};
};

}  // namespace spillway::routing
