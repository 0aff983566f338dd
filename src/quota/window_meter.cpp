#include "quota/window_meter.hpp"

#include <algorithm>

namespace spillway::quota {

std::optional<Hold> WindowMeter::reserve(std::uint64_t amount, Mono now, bool force) noexcept {
    const std::int64_t tick = floor_ticks(now);
    const std::uint64_t wanted = level_.need(amount);
    WindowLevel next = level_.at(tick);
    if (!force && next.is_limited() && !next.fits(wanted)) return std::nullopt;
    const bool same_window = next.generation == level_.generation;
    next.add(wanted);
    if (same_window && next.gap < next.length && next.may_have_ended(tick))
        next.carry += static_cast<std::uint32_t>(wanted);
    level_ = next;
    const Hold hold = corrections_.placed(level_, wanted, tick);
    charges_.placed(hold);
    return hold;
}

std::optional<std::uint64_t> WindowMeter::observe(const Hold& hold, Mono sent,
                                                  std::uint64_t reported) noexcept {
    const auto charged = charges_.reported(hold, static_cast<std::uint32_t>(reported));
    const std::int64_t tick = floor_ticks(sent);
    const auto found = corrections_.compare(tick, reported, level_.length);
    if (found.fell) {
        const Fresh fresh{hold, reported};
        learn({found.other - jitter_ticks, tick + jitter_ticks, tick}, &fresh);
    } else if (found.was_higher) {  // the same, but the earlier one's head came late
        learn({tick - jitter_ticks, found.other + jitter_ticks, found.other}, nullptr);
    }
    // The latest request sent knows most: what it corrected includes what earlier ones could.
    if (found.latest) corrections_.apply(level_, hold, tick, reported);
    return charged;
}

/// What both `reset` and what is known allow; `reset` alone if they contradict each other.
WindowMeter::Reset WindowMeter::narrowed(const Reset& reset) const noexcept {
    const std::int64_t length = level_.length;
    if (level_.gap >= length) return reset;
    const std::int64_t distance = level_.time - reset.until;
    std::int64_t shift = distance / length * length;
    if (distance - shift > length / 2) shift += length;
    if (distance - shift < -(length / 2)) shift -= length;
    Reset out{reset.after + shift, reset.until + shift, reset.moment};
    const std::int64_t after = std::max(out.after, level_.time - level_.gap);
    const std::int64_t until = std::min(out.until, level_.time);
    if (after <= until) {
        out.after = after;
        out.until = until;
    }
    return out;
}

void WindowMeter::learn(const Reset& reset, const Fresh* fresh) noexcept {
    if (level_.generation == 0) return;
    const std::int64_t length = level_.length;
    const auto [after, until, moment] = narrowed(reset);
    // The end that comes after the moment; a reset that was just met lies behind, whatever the jitter.
    const std::int64_t now = moment + (fresh != nullptr ? jitter_ticks : 0);
    std::int64_t end = until;
    while (end <= now) end += length;
    while (end - length > now) end -= length;

    const bool unexpected = fresh != nullptr && fresh->hold.generation == level_.generation &&
                            level_.time - length <= reset.after + jitter_ticks;
    if (unexpected) {
        // The meter was still in the old window. What was counted since `fresh` goes over into the new one;
        // holds of the old one are of another generation now and can correct nothing any more.
        const std::int64_t error = corrections_.error_of(fresh->hold, moment, fresh->reported);
        corrections_.correct(level_, level_.generation, error);
        level_.roll();
        level_.carry = 0;
    }
    level_.time = end;
    level_.gap = static_cast<std::int32_t>(std::clamp<std::int64_t>(until - after, 1, length));
}

void WindowMeter::resets(Mono sent, Duration wait) noexcept {
    // Whole seconds have been rounded up.
    const Duration slack = wait % std::chrono::seconds(1) == Duration::zero()
                               ? Duration(std::chrono::seconds(1))
                               : tick_length * 2;
    if (wait <= Duration::zero() || wait > tick_length * level_.length + slack) return;
    const std::int64_t end = floor_ticks(sent + wait) + jitter_ticks;
    learn({floor_ticks(sent + wait - slack) - jitter_ticks, end, floor_ticks(sent)}, nullptr);
}

void WindowMeter::refused(const Hold& hold, Mono sent, std::optional<Duration> wait,
                          std::optional<std::uint64_t> reported) noexcept {
    correct(hold.generation, -std::int64_t{hold.amount});
    // The mark counts the hold; the correction above takes it out again.
    if (reported) correct(hold.generation, corrections_.error_of(hold, floor_ticks(sent), *reported));
    if (level_.generation != hold.generation) return;
    if (wait) resets(sent, *wait);
    if (level_.basis != Basis::reported) return;
    // The least that explains the refusal.
    const std::int64_t least = std::int64_t{level_.limit} + 1 - std::min(hold.amount, level_.limit);
    if (level_.count < least) correct(hold.generation, least - level_.count);
}

}  // namespace spillway::quota
