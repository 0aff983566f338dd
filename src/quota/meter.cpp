#include "quota/meter.hpp"

#include <algorithm>

#include "base/prefetch.hpp"
#include "quota/meter_word.hpp"

namespace spillway::quota {
namespace {

using word::floor_ticks;

constexpr std::int64_t reorder_ticks = RecentMarks::reorder_ticks;
/// How far the moment a request was sent may be off as a measure of when it was counted: rounding, and ways
/// of different length to the backend.
constexpr std::int64_t jitter_ticks = 2;

Mono at(std::int64_t tick) noexcept {
    return Mono(word::tick * tick);
}

std::size_t place_of(std::uint32_t mark, std::uint8_t generation) noexcept {
    return ((mark * 0x9e3779b9U) ^ (generation * 0x85ebca6bU)) >> 27U;
}

}  // namespace

/// `time` is the window's end, or when a bucket's level was true.
struct Meter::State {
    std::int64_t time = 0;
    std::uint8_t generation = 0;
    std::uint64_t count = 0;
    bool rolled = false;  ///< a new window was begun

    [[nodiscard]] std::uint64_t pack() const noexcept { return word::pack(time, generation, count); }
};

Meter::Meter(Model model, Duration length) noexcept
    : model_(model),
      length_(static_cast<std::int32_t>(std::max<std::int64_t>(word::ticks(length), 1))),
      gap_(length_.load(std::memory_order_relaxed)) {}

Duration Meter::length() const noexcept {
    return word::tick * length_.load(std::memory_order_relaxed);
}
Duration Meter::phase_gap() const noexcept {
    return word::tick * gap_.load(std::memory_order_relaxed);
}

void Meter::set_limit(std::uint64_t limit, Basis basis) noexcept {
    if (basis < basis_.load(std::memory_order_relaxed)) return;
    const auto fits = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(limit, 1, word::most));
    if (limit_.load(std::memory_order_relaxed) == fits && basis_.load(std::memory_order_relaxed) == basis)
        return;
    limit_.store(fits, std::memory_order_relaxed);
    basis_.store(basis, std::memory_order_relaxed);
}

void Meter::set_length(Duration length) noexcept {
    const auto fits = static_cast<std::int32_t>(std::max<std::int64_t>(word::ticks(length), 1));
    if (length_.exchange(fits, std::memory_order_relaxed) == fits) return;
    gap_.store(fits, std::memory_order_relaxed);
    carry_.store(0, std::memory_order_relaxed);
    word_.store(0, std::memory_order_release);
}

std::uint64_t Meter::need(std::uint64_t amount) const noexcept {
    const std::uint64_t limit = limit_.load(std::memory_order_relaxed);
    return std::min(amount, limit == 0 ? word::most : limit);
}

Meter::State Meter::drained(State s, std::int64_t now) const noexcept {
    if (s.generation == 0) return {now, 1, 0, false};
    // A level of the future is one so old that its time has wrapped around.
    if (s.time > now + length_.load(std::memory_order_relaxed)) return {now, s.generation, 0, false};
    if (now <= s.time) return s;
    const auto limit = static_cast<std::int64_t>(limit_.load(std::memory_order_relaxed));
    const std::int64_t length = length_.load(std::memory_order_relaxed);
    const std::int64_t out = limit * std::min(now - s.time, length * 64) / length;
    if (limit == 0 || out >= static_cast<std::int64_t>(s.count)) return {now, s.generation, 0, false};
    // Time moves on by what really drained, so that slow drains are not lost to rounding.
    return {s.time + out * length / limit, s.generation, s.count - static_cast<std::uint64_t>(out), false};
}

/// The state as of `now`: begins a new window if the old one has ended for sure.
Meter::State Meter::advanced(State s, std::int64_t now) const noexcept {
    if (model_ != Model::window) return drained(s, now);
    const std::int64_t length = length_.load(std::memory_order_relaxed);
    if (s.generation == 0) return {now + length, 1, 0, true};
    // An end that is farther off than a window is one so old that its time has wrapped around.
    if (now < s.time && s.time <= now + length + length / 8 + 2 * jitter_ticks) return s;
    State next{now + length, word::next(s.generation), 0, true};
    const std::int64_t gap = gap_.load(std::memory_order_relaxed);
    if (gap >= length) return next;  // the phase is not known: the window begins with its first use
    const std::int64_t periods = now >= s.time ? (now - s.time) / length + 1 : 0;
    if (periods > 0) next.time = s.time + periods * length;
    if (periods == 1) next.count = carry_.load(std::memory_order_relaxed);
    return next;
}

Meter::State Meter::load(std::int64_t now) const noexcept {
    const std::uint64_t w = word_.load(std::memory_order_acquire);
    return {word::near(word::time_of(w), now), word::generation_of(w), word::count_of(w), false};
}

std::uint64_t Meter::used(Mono now) const noexcept {
    const std::int64_t t = floor_ticks(now);
    return advanced(load(t), t).count;
}

/// Until `need` fits, from now.
std::int64_t Meter::ticks_until(const State& s, std::uint64_t need, std::int64_t now) const noexcept {
    if (model_ == Model::window) return s.time - now;
    const auto limit = static_cast<std::int64_t>(limit_.load(std::memory_order_relaxed));
    const auto over =
        static_cast<std::int64_t>(s.count + (model_ == Model::strict_bucket ? need : 0)) - limit;
    return over * length_.load(std::memory_order_relaxed) / std::max<std::int64_t>(limit, 1) + 1;
}

Room Meter::room(std::uint64_t amount, Mono now) const noexcept {
    Room room;
    const std::uint64_t limit = limit_.load(std::memory_order_relaxed);
    const Basis basis = basis_.load(std::memory_order_relaxed);
    if (basis == Basis::none || limit == 0) return room;
    const std::int64_t t = floor_ticks(now);
    const State s = advanced(load(t), t);
    const std::uint64_t wanted = need(amount);
    const std::int64_t length = length_.load(std::memory_order_relaxed);
    const std::int64_t gap = gap_.load(std::memory_order_relaxed);
    room.fits = model_ == Model::lenient_bucket ? s.count <= limit : s.count + wanted <= limit;
    const std::uint64_t after = std::min(limit, s.count + wanted);
    room.headroom = static_cast<double>(limit - after) / static_cast<double>(limit);
    // When nobody knows when a window ends, it may end now: what it holds had better be used first.
    if (model_ == Model::window)
        room.left = static_cast<double>(std::clamp<std::int64_t>(s.time - gap - t, 0, length)) /
                    static_cast<double>(length);
    if (room.fits) return room;
    room.unsure = basis == Basis::guessed || (model_ == Model::window && t >= s.time - gap);
    const std::int64_t wait = std::max<std::int64_t>(ticks_until(s, wanted, t), 1);
    room.wait = std::max(at(t + wait) - now, Duration(std::chrono::milliseconds(1)));
    return room;
}

std::optional<Claim> Meter::reserve(std::uint64_t amount, Mono now, bool force) noexcept {
    const std::int64_t t = floor_ticks(now);
    const std::uint64_t limit = limit_.load(std::memory_order_relaxed);
    const bool bounded = limit != 0 && basis_.load(std::memory_order_relaxed) != Basis::none && !force;
    const std::uint64_t wanted = need(amount);
    std::uint64_t old = word_.load(std::memory_order_acquire);
    for (;;) {
        State s = advanced(
            {word::near(word::time_of(old), t), word::generation_of(old), word::count_of(old), false}, t);
        if (bounded && (model_ == Model::lenient_bucket ? s.count > limit : s.count + wanted > limit))
            return std::nullopt;
        s.count = std::min(s.count + wanted, word::most);
        if (!word_.compare_exchange_weak(old, s.pack(), std::memory_order_acq_rel)) continue;
        if (model_ == Model::window) {
            const std::int64_t gap = gap_.load(std::memory_order_relaxed);
            if (s.rolled) {
                carry_.store(0, std::memory_order_relaxed);
            } else if (gap < length_.load(std::memory_order_relaxed) && t >= s.time - gap) {
                carry_.fetch_add(static_cast<std::uint32_t>(wanted), std::memory_order_relaxed);
            }
        }
        Claim claim;
        claim.amount = static_cast<std::uint32_t>(wanted);
        claim.generation = s.generation;
        claim.mark = static_cast<std::uint32_t>(s.count) - corrected_.load(std::memory_order_acquire);
        const std::uint32_t before = claim.mark - claim.amount;
        claim.behind = recent_.note(t, claim.generation, before, claim.mark);
        Marked& last = marks_.at(place_of(before, claim.generation));
        if (claim.behind != 0) last.overtaken.store(before, std::memory_order_relaxed);
        // The answer will look at both.
        const Marked& own = marks_.at(place_of(claim.mark, claim.generation));
        prefetch_for_write(&own, &own + 1);
        prefetch_for_write(&last, &last + 1);
        return claim;
    }
}

/// Adds `delta` to the count, if that is still of the same window.
void Meter::correct(std::uint8_t generation, std::int64_t delta) noexcept {
    if (delta == 0) return;
    std::uint64_t old = word_.load(std::memory_order_acquire);
    for (;;) {
        if (generation == 0 || word::generation_of(old) != generation) return;
        const auto count = static_cast<std::int64_t>(word::count_of(old));
        const std::int64_t next =
            std::clamp<std::int64_t>(count + delta, 0, static_cast<std::int64_t>(word::most));
        const std::uint64_t changed = (old & ~word::most) | static_cast<std::uint64_t>(next);
        if (!word_.compare_exchange_weak(old, changed, std::memory_order_acq_rel)) continue;
        corrected_.fetch_add(static_cast<std::uint32_t>(next - count), std::memory_order_acq_rel);
        return;
    }
}

void Meter::adjust(const Claim& claim, std::int64_t delta) noexcept {
    correct(claim.generation, delta);
}

void Meter::others_sent(std::int64_t amount, Mono now) noexcept {
    if (amount > 0)
        (void)reserve(static_cast<std::uint64_t>(amount), now, true);
    else
        correct(word::generation_of(word_.load(std::memory_order_acquire)), amount);
}

std::optional<std::uint64_t> Meter::charge(const Claim& claim, std::uint64_t told) noexcept {
    if (claim.amount == 0) return std::nullopt;
    Marked& own = marks_.at(place_of(claim.mark, claim.generation));
    own.told.store(word::pack(claim.mark, claim.generation, told), std::memory_order_relaxed);
    const auto overtaken = own.overtaken.load(std::memory_order_relaxed);
    if (claim.behind != 0 || overtaken == claim.mark) return std::nullopt;
    const std::uint32_t before = claim.mark - claim.amount;
    const std::uint64_t w =
        marks_.at(place_of(before, claim.generation)).told.load(std::memory_order_relaxed);
    if (w == 0 || word::generation_of(w) != claim.generation ||
        word::time_of(w) != (before & word::time_mask) || word::count_of(w) > told)
        return std::nullopt;
    return told - word::count_of(w);
}

std::optional<std::uint64_t> Meter::observe(const Claim& claim, Mono sent, std::uint64_t told) noexcept {
    if (claim.generation == 0) return std::nullopt;
    told = std::min(told, word::most);
    const auto measured = model_ == Model::window ? charge(claim, told) : std::nullopt;
    // The latest request sent knows most: what it corrected includes what earlier ones could.
    const std::int64_t tick = floor_ticks(sent);
    if (compare(claim, tick, told)) {
        const std::int64_t error = error_of(claim, tick, told);
        correct(claim.generation, error);
        if (claim.behind != 0 || recent_.after(tick, claim.generation, claim.mark) != 0)
            recent_.corrected(tick, error);
    }
    return measured;
}

/// How far the count was off when `claim` was made, less what has been corrected since, and less what another
/// order of arrival explains.
std::int64_t Meter::error_of(const Claim& claim, std::int64_t sent, std::uint64_t told) const noexcept {
    const std::uint32_t expected = claim.mark + corrected_.load(std::memory_order_acquire);
    const std::int64_t off = static_cast<std::int32_t>(static_cast<std::uint32_t>(told) - expected);
    const std::int64_t corrected = recent_.correction_near(sent);
    const std::int64_t behind = std::int64_t{claim.behind} + std::max<std::int64_t>(corrected, 0);
    const std::int64_t ahead = std::int64_t{recent_.after(sent, claim.generation, claim.mark)} +
                               std::max<std::int64_t>(-corrected, 0);
    return off - std::clamp(off, -behind, ahead);
}

/// Compares with what was told for the latest request so far: a window's count that fell means a reset
/// between the two. True if this one is as late.
bool Meter::compare(const Claim& claim, std::int64_t sent, std::uint64_t told) noexcept {
    std::uint64_t old = seen_.load(std::memory_order_acquire);
    const std::int64_t other = word::near(word::time_of(old), sent);
    const std::int64_t distance = sent - other;
    const bool comparable = old != 0 && std::abs(distance) < length_.load(std::memory_order_relaxed);
    const bool sure_order = std::abs(distance) > reorder_ticks;
    const bool fell = told < word::count_of(old);
    if (model_ == Model::window && comparable && sure_order) {
        if (distance > 0 && fell)
            narrow({other - jitter_ticks, sent + jitter_ticks, sent}, &claim, told);
        else if (distance < 0 && told > word::count_of(old))
            narrow({sent - jitter_ticks, other + jitter_ticks, other}, nullptr,
                   0);  // the same, but the earlier one is told late
    }
    if (!comparable || (distance > 0 && (sure_order || !fell)))
        seen_.compare_exchange_strong(old, word::pack(sent, 1, told), std::memory_order_acq_rel);
    return !comparable || distance >= -reorder_ticks;
}

/// A reset lies within (after, until], give or take whole lengths; the window meant is the one of `moment`.
/// `fresh`, if any, is the claim that met the count `told` after the reset.
void Meter::narrow(const Reset& reset, const Claim* fresh, std::uint64_t told) noexcept {
    const std::int64_t length = length_.load(std::memory_order_relaxed);
    std::uint64_t old = word_.load(std::memory_order_acquire);
    for (;;) {
        const std::uint8_t generation = word::generation_of(old);
        if (generation == 0) return;
        const std::int64_t known = word::near(word::time_of(old), reset.moment);
        const std::int64_t gap = gap_.load(std::memory_order_relaxed);
        std::int64_t low = reset.after;
        std::int64_t high = reset.until;
        if (gap < length) {
            // Bring what is told next to what is known, then keep what both allow; else the news wins.
            std::int64_t shift = (known - high) / length * length;
            if (known - high - shift > length / 2) shift += length;
            if (known - high - shift < -(length / 2)) shift -= length;
            low += shift;
            high += shift;
            if (std::max(low, known - gap) <= std::min(high, known)) {
                low = std::max(low, known - gap);
                high = std::min(high, known);
            }
        }
        const std::int64_t next_gap = std::clamp<std::int64_t>(high - low, 1, length);
        // The end that comes after the moment; the reset that was just met lies behind, whatever the jitter.
        const std::int64_t moment = reset.moment + (fresh != nullptr ? jitter_ticks : 0);
        while (high <= moment) high += length;
        while (high - length > moment) high -= length;

        std::uint64_t next = word::pack(high, generation, word::count_of(old));
        std::int64_t delta = 0;
        const bool unexpected = fresh != nullptr && fresh->generation == generation &&
                                known - length <= reset.after + jitter_ticks;
        if (unexpected) {
            // The model was still in the old window. What was counted since `fresh` goes over into the new
            // one; claims of the old one are of another generation now and can correct nothing any more.
            const auto count = static_cast<std::int64_t>(word::count_of(old));
            const auto most = static_cast<std::int64_t>(word::most);
            const std::int64_t now_used =
                std::clamp<std::int64_t>(count + error_of(*fresh, reset.moment, told), 0, most);
            delta = now_used - count;
            next = word::pack(high, word::next(generation), static_cast<std::uint64_t>(now_used));
        }
        if (!word_.compare_exchange_weak(old, next, std::memory_order_acq_rel)) continue;
        corrected_.fetch_add(static_cast<std::uint32_t>(delta), std::memory_order_acq_rel);
        gap_.store(static_cast<std::int32_t>(next_gap), std::memory_order_relaxed);
        if (unexpected) carry_.store(0, std::memory_order_relaxed);
        return;
    }
}

void Meter::resets(Mono sent, Duration wait) noexcept {
    // Whole seconds have been rounded up.
    const Duration slack = wait % std::chrono::seconds(1) == Duration::zero()
                               ? Duration(std::chrono::seconds(1))
                               : word::tick * 2;
    if (model_ != Model::window || wait <= Duration::zero() || wait > length() + slack) return;
    const std::int64_t end = floor_ticks(sent + wait) + jitter_ticks;
    narrow({floor_ticks(sent + wait - slack) - jitter_ticks, end, floor_ticks(sent)}, nullptr, 0);
}

void Meter::refused(const Claim& claim, Mono sent, std::optional<Duration> wait,
                    std::optional<std::uint64_t> told) noexcept {
    release(claim);
    const std::uint64_t limit = limit_.load(std::memory_order_relaxed);
    if (told) {
        // The mark counts the claim, the correction by release() takes it out again.
        correct(claim.generation, error_of(claim, floor_ticks(sent), std::min(*told, word::most)));
    }
    const std::uint64_t w = word_.load(std::memory_order_acquire);
    if (word::generation_of(w) != claim.generation) return;
    const auto count = word::count_of(w);
    std::uint64_t least = 0;  // that explains the refusal
    if (basis() == Basis::told)
        least =
            limit + 1 - (model_ == Model::lenient_bucket ? 0 : std::min<std::uint64_t>(claim.amount, limit));
    if (wait && model_ == Model::window) resets(sent, *wait);
    if (wait && model_ != Model::window && limit != 0 && *wait <= length()) {
        const double over = to_seconds(*wait) / to_seconds(length()) * static_cast<double>(limit);
        least =
            limit - (model_ == Model::strict_bucket ? claim.amount : 0) + static_cast<std::uint64_t>(over);
    }
    if (count < least) correct(claim.generation, static_cast<std::int64_t>(least - count));
}

}  // namespace spillway::quota
