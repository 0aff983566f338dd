#pragma once
/// The holds that a meter has placed within the last few ticks. Requests sent so close together may reach the
/// backend in another order, so the count reported for one of them may include holds placed after it, and
/// lack holds placed before it.
///
/// Units: ticks (quota/ticks.hpp); marks as in Hold. Thread rule: one thread at a time. Errors: none; what
/// has been forgotten counts as zero.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "quota/ticks.hpp"

namespace spillway::quota {

class RecentMarks {
public:
    /// A hold took the mark from `before` to `after`. Returns the sum of holds placed so shortly before it
    /// that their requests may arrive after its own.
    std::uint32_t note(std::int64_t tick, std::uint8_t generation, std::uint32_t before,
                       std::uint32_t after) noexcept {
        Tick& now = ticks_.at(place(tick));
        if (!now.is(tick, generation)) now = {low(tick), before, after, generation};
        now.last = after;
        for (std::int64_t t = tick - reorder_ticks; t <= tick; ++t) {
            const Tick& other = ticks_.at(place(t));
            if (other.is(t, generation)) return distance(other.first, before);
        }
        return 0;
    }
    /// The sum of holds placed so shortly after the one made at `tick` with this mark that their requests may
    /// have arrived before its own.
    [[nodiscard]] std::uint32_t after(std::int64_t tick, std::uint8_t generation,
                                      std::uint32_t mark) const noexcept {
        for (std::int64_t t = tick + reorder_ticks; t >= tick; --t) {
            const Tick& other = ticks_.at(place(t));
            if (other.is(t, generation)) return distance(mark, other.last);
        }
        return 0;
    }

    /// The count was corrected by `delta` because of the request sent at `tick`.
    void corrected(std::int64_t tick, std::int64_t delta) noexcept {
        if (delta == 0) return;
        // What goes on and on is no burst: the sum begins anew after a while.
        if (!is_near(tick)) {
            correction_ = 0;
            corrected_since_ = tick;
            has_correction_ = true;
        }
        correction_ += delta;
    }
    /// By how much requests sent at about the same time have already corrected the count; it is not known
    /// whether that concerns what was counted before or after any one of them.
    [[nodiscard]] std::int64_t correction_near(std::int64_t tick) const noexcept {
        return is_near(tick) ? correction_ : 0;
    }

private:
    static std::size_t place(std::int64_t tick) noexcept { return static_cast<std::size_t>(tick) % 32; }
    static std::uint32_t low(std::int64_t tick) noexcept { return static_cast<std::uint32_t>(tick); }
    /// Marks wrap around.
    static std::uint32_t distance(std::uint32_t from, std::uint32_t to) noexcept {
        return static_cast<std::int32_t>(to - from) > 0 ? to - from : 0;
    }
    [[nodiscard]] bool is_near(std::int64_t tick) const noexcept {
        return has_correction_ && std::abs(corrected_since_ - tick) <= 2 * reorder_ticks;
    }

    struct Tick {
        std::uint32_t tick = 0;   ///< its low half: the other half is years
        std::uint32_t first = 0;  ///< the mark before its first hold
        std::uint32_t last = 0;   ///< the mark after its last
        std::uint8_t generation = 0;

        [[nodiscard]] bool is(std::int64_t t, std::uint8_t g) const noexcept {
            return generation == g && g != 0 && tick == low(t);
        }
    };
    std::int64_t correction_ = 0;
    std::int64_t corrected_since_ = 0;
    bool has_correction_ = false;
    std::array<Tick, 32> ticks_{};
};

}  // namespace spillway::quota
