#pragma once
/// Whether the process lacks resources for sockets (descriptors, their memory): reported once when it starts
/// and once when it ends, however many threads are affected and how often.
///
/// Thread rule: any thread, without waiting. The time is passed in. Errors: none.
#include <atomic>
#include <optional>

#include "base/clock.hpp"

namespace spillway::gateway {

class Shortage {
public:
    /// It is over after this long without a shortage.
    static constexpr Duration quiet = std::chrono::seconds(5);

    /// There is a shortage right now.
    void note(Mono now) noexcept { last_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }
    /// True if it has started, false if it has ended since the last call; each goes to one caller only.
    [[nodiscard]] std::optional<bool> change(Mono now) noexcept {
        const Duration::rep last = last_.load(std::memory_order_relaxed);
        const bool is = last != 0 && now.time_since_epoch() - Duration(last) < quiet;
        bool reported = !is;
        if (reported_.load(std::memory_order_relaxed) == is) return std::nullopt;
        if (!reported_.compare_exchange_strong(reported, is)) return std::nullopt;
        return is;
    }

private:
    std::atomic<Duration::rep> last_{0};
    std::atomic<bool> reported_{false};
};

}  // namespace spillway::gateway
