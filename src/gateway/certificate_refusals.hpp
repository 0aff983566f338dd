#pragma once
/// Lets one of many refused client certificates be logged now and then, whichever thread refused them.
///
/// Thread rule: any thread, without waiting. The time is passed in. Errors: none.
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace spillway::gateway {

class CertificateRefusals {
public:
    static constexpr Duration interval = std::chrono::seconds(10);

    /// One more: how many were not logged since the last that was; nullopt: this one is not, either.
    [[nodiscard]] std::optional<std::uint64_t> note(Mono now) noexcept {
        const Duration::rep time = now.time_since_epoch().count();
        Duration::rep next = next_.load(std::memory_order_relaxed);
        if (time < next || !next_.compare_exchange_strong(next, time + interval.count())) {
            silent_.fetch_add(1, std::memory_order_relaxed);
            return std::nullopt;
        }
        return silent_.exchange(0, std::memory_order_relaxed);
    }

private:
    std::atomic<Duration::rep> next_{0};
    std::atomic<std::uint64_t> silent_{0};
};

}  // namespace spillway::gateway
