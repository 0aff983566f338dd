#pragma once
/// What a Meter claimed within the last few ticks: requests that are sent so close together may reach the
/// backend in another order, so that the count told for one of them may include those claimed after it, and
/// lack those claimed before it.
///
/// Units: ticks (quota/meter_word.hpp); marks as in Claim. Thread rule: any thread, no lock; what two threads
/// note at the same moment may be off by their two claims. Errors: none; what is forgotten counts as nothing.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "quota/meter_word.hpp"

namespace spillway::quota {

class RecentMarks {
public:
    /// Two requests sent within this may reach the backend in the other order.
    static constexpr std::int64_t reorder_ticks = 3;

    /// A claim led from `before` to `after`. Returns what was claimed so shortly before it that it may arrive
    /// after it.
    std::uint32_t note(std::int64_t tick, std::uint8_t generation, std::uint32_t before,
                       std::uint32_t after) noexcept {
        Tick& now = ticks_.at(place(tick));
        if (!is_of(now.first.load(std::memory_order_relaxed), tick, generation))
            now.first.store(word::pack(tick, generation, before), std::memory_order_relaxed);
        now.last.store(word::pack(tick, generation, after), std::memory_order_relaxed);
        for (std::int64_t t = tick - reorder_ticks; t <= tick; ++t) {
            const std::uint64_t w = ticks_.at(place(t)).first.load(std::memory_order_relaxed);
            if (is_of(w, t, generation))
                return distance(static_cast<std::uint32_t>(word::count_of(w)), before);
        }
        return 0;
    }
    /// What was claimed so shortly after the claim made at `tick` with this mark that it may have arrived
    /// before it.
    [[nodiscard]] std::uint32_t after(std::int64_t tick, std::uint8_t generation,
                                      std::uint32_t mark) const noexcept {
        for (std::int64_t t = tick + reorder_ticks; t >= tick; --t) {
            const std::uint64_t w = ticks_.at(place(t)).last.load(std::memory_order_relaxed);
            if (is_of(w, t, generation)) return distance(mark, static_cast<std::uint32_t>(word::count_of(w)));
        }
        return 0;
    }

    /// The count was corrected by `delta` because of the request sent at `tick`.
    void corrected(std::int64_t tick, std::int64_t delta) noexcept {
        if (delta == 0) return;
        const std::uint64_t old = correction_.load(std::memory_order_relaxed);
        // What goes on and on is no burst: the sum begins anew after a while.
        const bool adds = is_near(old, tick);
        const std::int64_t since = adds ? word::near(word::time_of(old), tick) : tick;
        const auto sum = static_cast<std::uint32_t>((adds ? correction_near(tick) : 0) + delta);
        correction_.store(word::pack(since, 1, sum), std::memory_order_relaxed);
    }
    /// By how much requests sent at about the same time have corrected the count already: whether that
    /// belongs to what was counted before or after one of them, nobody knows.
    [[nodiscard]] std::int64_t correction_near(std::int64_t tick) const noexcept {
        const std::uint64_t w = correction_.load(std::memory_order_relaxed);
        return is_near(w, tick) ? static_cast<std::int32_t>(word::count_of(w)) : 0;
    }

private:
    static std::size_t place(std::int64_t tick) noexcept { return static_cast<std::size_t>(tick) % 32; }
    static bool is_of(std::uint64_t w, std::int64_t tick, std::uint8_t generation) noexcept {
        return w != 0 && word::generation_of(w) == generation &&
               word::time_of(w) == (static_cast<std::uint64_t>(tick) & word::time_mask);
    }
    static bool is_near(std::uint64_t w, std::int64_t tick) noexcept {
        return w != 0 && std::abs(word::near(word::time_of(w), tick) - tick) <= 2 * reorder_ticks;
    }
    /// Marks wrap around.
    static std::uint32_t distance(std::uint32_t from, std::uint32_t to) noexcept {
        return static_cast<std::int32_t>(to - from) > 0 ? to - from : 0;
    }

    struct Tick {
        std::atomic<std::uint64_t> first{0};  ///< the mark before its first claim
        std::atomic<std::uint64_t> last{0};   ///< the mark after its last
    };
    std::atomic<std::uint64_t> correction_{0};  ///< when, how much
    std::array<Tick, 32> ticks_{};
};

}  // namespace spillway::quota
