#pragma once
/// Whether the process is out of what sockets are made of (descriptors, their memory): told once when it
/// begins and once when it is over, however many threads meet it and however often.
///
/// Thread rule: safe from all threads, and waits for none. The time comes in.
#include <atomic>
#include <optional>

#include "base/clock.hpp"

namespace spillway::gateway {

class Shortage {
public:
    /// So long nothing was short: it is over.
    static constexpr Duration quiet = std::chrono::seconds(5);

    /// Something was short just now.
    void note(Mono now) noexcept { last_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }
    /// True when it began, false when it ended, since the last call: to one caller each.
    [[nodiscard]] std::optional<bool> news(Mono now) noexcept {
        const Duration::rep last = last_.load(std::memory_order_relaxed);
        const bool is = last != 0 && now.time_since_epoch() - Duration(last) < quiet;
        bool told = !is;
        if (told_.load(std::memory_order_relaxed) == is) return std::nullopt;
        if (!told_.compare_exchange_strong(told, is)) return std::nullopt;
        return is;
    }

private:
    std::atomic<Duration::rep> last_{0};
    std::atomic<bool> told_{false};
};

}  // namespace spillway::gateway
