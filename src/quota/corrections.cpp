#include "quota/corrections.hpp"

#include <algorithm>
#include <cstdlib>

namespace spillway::quota {

Hold Corrections::placed(const Level& level, std::uint64_t amount, std::int64_t now) noexcept {
    Hold hold;
    hold.amount = static_cast<std::uint32_t>(amount);
    hold.generation = level.generation;
    hold.mark = level.count - sum_;
    hold.behind = recent_.note(now, hold.generation, hold.mark - hold.amount, hold.mark);
    return hold;
}

void Corrections::correct(Level& level, std::uint8_t generation, std::int64_t delta) noexcept {
    note(level.correct(generation, delta));
}

std::int64_t Corrections::error_of(const Hold& hold, std::int64_t sent,
                                   std::uint64_t reported) const noexcept {
    const std::uint32_t expected = hold.mark + sum_;
    const std::int64_t off = static_cast<std::int32_t>(static_cast<std::uint32_t>(reported) - expected);
    const std::int64_t corrected = recent_.correction_near(sent);
    const std::int64_t behind = std::int64_t{hold.behind} + std::max<std::int64_t>(corrected, 0);
    const std::int64_t ahead =
        std::int64_t{recent_.after(sent, hold.generation, hold.mark)} + std::max<std::int64_t>(-corrected, 0);
    return off - std::clamp(off, -behind, ahead);
}

Corrections::Comparison Corrections::compare(std::int64_t sent, std::uint64_t reported,
                                             std::int64_t length) noexcept {
    const std::int64_t distance = sent - latest_;
    const bool comparable = has_latest_ && std::abs(distance) < length;
    const bool sure_order = std::abs(distance) > reorder_ticks;
    Comparison out;
    out.other = latest_;
    out.fell = comparable && sure_order && distance > 0 && reported < latest_reported_;
    out.was_higher = comparable && sure_order && distance < 0 && reported > latest_reported_;
    out.latest = !comparable || distance >= -reorder_ticks;
    if (!comparable || (distance > 0 && (sure_order || reported >= latest_reported_))) {
        has_latest_ = true;
        latest_ = sent;
        latest_reported_ = reported;
    }
    return out;
}

void Corrections::apply(Level& level, const Hold& hold, std::int64_t sent, std::uint64_t reported) noexcept {
    const std::int64_t error = error_of(hold, sent, reported);
    correct(level, hold.generation, error);
    if (hold.behind != 0 || recent_.after(sent, hold.generation, hold.mark) != 0)
        recent_.corrected(sent, error);
}

}  // namespace spillway::quota
