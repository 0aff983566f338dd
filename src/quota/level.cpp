#include "quota/level.hpp"

#include <algorithm>

namespace spillway::quota {
namespace {

std::int32_t ticks_in(Duration period) noexcept {
    return static_cast<std::int32_t>(std::max<std::int64_t>(ceil_ticks(period), 1));
}

/// From `now` until `ticks` after the tick of now have passed.
Duration wait_for(std::int64_t ticks, Mono now) noexcept {
    const Mono end = time_of(floor_ticks(now) + std::max<std::int64_t>(ticks, 1));
    return std::max(end - now, Duration(std::chrono::milliseconds(1)));
}

}  // namespace

Level::Level(Duration period) noexcept : length(ticks_in(period)) {}

void Level::set_limit(std::uint64_t value, Basis why) noexcept {
    if (why < basis) return;
    limit = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(value, 1, max_count));
    basis = why;
}

std::uint64_t Level::need(std::uint64_t amount) const noexcept {
    return std::min(amount, limit == 0 ? max_count : limit);
}

void Level::add(std::uint64_t amount) noexcept {
    count = static_cast<std::uint32_t>(std::min(count + amount, max_count));
}

std::int64_t Level::correct(std::uint8_t of_generation, std::int64_t delta) noexcept {
    if (of_generation == 0 || of_generation != generation) return 0;
    const std::int64_t before = count;
    const auto after = std::clamp<std::int64_t>(before + delta, 0, static_cast<std::int64_t>(max_count));
    count = static_cast<std::uint32_t>(after);
    return after - before;
}

Headroom Level::headroom_for(std::uint64_t wanted, bool fits) const noexcept {
    const std::uint64_t after = std::min<std::uint64_t>(limit, count + wanted);
    Headroom out;
    out.fits = fits;
    out.share = static_cast<double>(limit - after) / static_cast<double>(limit);
    return out;
}

void Level::next_generation() noexcept {
    generation = generation == 255 ? std::uint8_t{1} : static_cast<std::uint8_t>(generation + 1);
}

bool Level::restart(Duration period) noexcept {
    if (ticks_in(period) == length) return false;
    length = ticks_in(period);
    time = 0;
    count = 0;
    if (generation != 0) next_generation();
    return true;
}

WindowLevel WindowLevel::at(std::int64_t now) const noexcept {
    if (generation != 0 && now < time) return *this;
    WindowLevel next = *this;
    next.next_generation();
    next.time = now + length;
    next.count = 0;
    next.carry = 0;
    // While the phase is not known, a window begins with its first use.
    if (generation == 0 || gap >= length) return next;
    const std::int64_t ended = (now - time) / length + 1;
    next.time = time + ended * length;
    if (ended == 1) next.count = carry;
    return next;
}

Headroom WindowLevel::headroom(std::uint64_t amount, Mono now) const noexcept {
    if (!is_limited()) return {};
    const std::int64_t tick = floor_ticks(now);
    const WindowLevel current = at(tick);
    const std::uint64_t wanted = need(amount);
    Headroom out = current.headroom_for(wanted, current.fits(wanted));
    // A window whose end is unknown may end now, so its quota is better used first.
    const std::int64_t sure = std::clamp<std::int64_t>(current.time - gap - tick, 0, length);
    out.left = static_cast<double>(sure) / static_cast<double>(length);
    if (out.fits) return out;
    out.unsure = basis == Basis::guessed || current.may_have_ended(tick);
    out.wait = wait_for(current.time - tick, now);
    return out;
}

void WindowLevel::set_length(Duration period) noexcept {
    if (!restart(period)) return;
    gap = length;
    carry = 0;
}

BucketLevel BucketLevel::drained(std::int64_t now) const noexcept {
    BucketLevel out = *this;
    if (generation == 0) out.next_generation();
    if (generation != 0 && now <= time) return out;
    const std::int64_t gone = limit * std::min<std::int64_t>(now - time, std::int64_t{length} * 64) / length;
    if (limit == 0 || gone >= count) {
        out.time = now;
        out.count = 0;
    } else {
        // Time moves on by what has really drained, so that slow drains are not lost to rounding.
        out.time = time + gone * length / limit;
        out.count = static_cast<std::uint32_t>(count - gone);
    }
    return out;
}

Headroom BucketLevel::headroom_at(std::uint64_t wanted, bool fits, std::int64_t over,
                                  Mono now) const noexcept {
    Headroom out = headroom_for(wanted, fits);
    if (fits) return out;
    out.unsure = basis == Basis::guessed;
    out.wait = wait_for(over * length / limit + 1, now);
    return out;
}

Headroom StrictLevel::headroom(std::uint64_t amount, Mono now) const noexcept {
    if (!is_limited()) return {};
    const StrictLevel current = at(floor_ticks(now));
    const std::uint64_t wanted = need(amount);
    const auto over = static_cast<std::int64_t>(current.count + wanted) - std::int64_t{limit};
    return current.headroom_at(wanted, current.fits(wanted), over, now);
}

Headroom LenientLevel::headroom(std::uint64_t amount, Mono now) const noexcept {
    if (!is_limited()) return {};
    const LenientLevel current = at(floor_ticks(now));
    const std::uint64_t wanted = need(amount);
    return current.headroom_at(wanted, current.fits(wanted), std::int64_t{current.count} - limit, now);
}

}  // namespace spillway::quota
