#pragma once
/// What a quota's counter stands at, and what follows from that: one plain value for each kind of counter,
/// and pure functions of it and the time. quota/meter.hpp describes the three kinds.
///
/// Units: tokens or requests; counts saturate at 2³² − 1. Times in ticks (quota/ticks.hpp). Thread rule:
/// values; copy and use them anywhere. Errors: none.
#include <cstdint>

#include "base/clock.hpp"
#include "quota/ticks.hpp"

namespace spillway::quota {

/// The largest count.
inline constexpr std::uint64_t max_count = 0xffffffffU;

/// Why a limit is believed.
enum class Basis : std::uint8_t {
    none,      ///< no limit is known: everything fits
    guessed,   ///< from what a backend reported to remain: a preference, never a reason to refuse
    reported,  ///< configured, or in a header
};

/// Whether a request fits what is left of a quota.
struct Headroom {
    bool fits = true;
    /// It does not fit, but may all the same: the limit is a guess, or the window may be over already.
    bool unsure = false;
    bool never = false;  ///< it is larger than all of the quota, for certain
    Duration wait{};     ///< until it fits; zero if it does
    double share = 1;    ///< share of the limit that would be left, 0…1; 1 if no limit is known
    double left = 0.5;   ///< share of the window's time that is certainly left, 0…1; 0.5 for a bucket
};

/// What all kinds have in common.
struct Level {
    std::int64_t time = 0;  ///< when a window ends, or when a bucket's count was right
    std::uint32_t count = 0;
    std::uint32_t limit = 0;      ///< 0: none is known
    std::int32_t length = 1;      ///< ticks in which the whole limit comes back
    std::uint8_t generation = 0;  ///< changes with each window and never returns to 0, which is "not begun"
    Basis basis = Basis::none;

    explicit Level(Duration period) noexcept;

    /// A reported limit replaces a guessed one, not the other way round.
    void set_limit(std::uint64_t value, Basis why) noexcept;
    [[nodiscard]] bool is_limited() const noexcept { return basis != Basis::none && limit != 0; }
    /// What is counted for a request of `amount`: more than the whole limit is taken to fit an empty counter.
    [[nodiscard]] std::uint64_t need(std::uint64_t amount) const noexcept;
    void add(std::uint64_t amount) noexcept;
    /// Adds `delta`, if the count is still that of `generation`. Returns by how much it changed.
    std::int64_t correct(std::uint8_t of_generation, std::int64_t delta) noexcept;

protected:
    [[nodiscard]] Headroom headroom_for(std::uint64_t wanted, bool fits) const noexcept;
    void next_generation() noexcept;
    /// Begins anew if `period` is not the length; true if so.
    bool restart(Duration period) noexcept;
};

/// Set to zero at fixed times. Until `time` the old count stands.
struct WindowLevel : Level {
    std::int32_t gap;  ///< the window ends within (time − gap, time]; its length: nothing is known of its end
    std::uint32_t carry = 0;  ///< counted within the gap: it may be in the next window already

    explicit WindowLevel(Duration period) noexcept : Level(period), gap(length) {}

    /// As of `now`: a new window if the old one has certainly ended.
    [[nodiscard]] WindowLevel at(std::int64_t now) const noexcept;
    /// The window may have ended by `now`.
    [[nodiscard]] bool may_have_ended(std::int64_t now) const noexcept { return now >= time - gap; }
    [[nodiscard]] bool fits(std::uint64_t wanted) const noexcept { return count + wanted <= limit; }
    [[nodiscard]] Headroom headroom(std::uint64_t amount, Mono now) const noexcept;
    /// Windows of another length: what was known is of no use.
    void set_length(Duration period) noexcept;
    /// The window ends in another one's stead, `count` with it.
    void roll() noexcept { next_generation(); }
};

/// Drains all the time, its whole limit in `length`.
struct BucketLevel : Level {
    using Level::Level;

    [[nodiscard]] BucketLevel drained(std::int64_t now) const noexcept;
    void set_length(Duration period) noexcept { (void)restart(period); }

protected:
    /// `level`, drained to `now`, does not fit before `over` has drained from it.
    [[nodiscard]] Headroom headroom_at(std::uint64_t wanted, bool fits, std::int64_t over,
                                       Mono now) const noexcept;
};

/// Refuses what does not fit.
struct StrictLevel : BucketLevel {
    using BucketLevel::BucketLevel;
    explicit StrictLevel(const BucketLevel& level) noexcept : BucketLevel(level) {}

    [[nodiscard]] StrictLevel at(std::int64_t now) const noexcept { return StrictLevel(drained(now)); }
    [[nodiscard]] bool fits(std::uint64_t wanted) const noexcept { return count + wanted <= limit; }
    /// The least count at which a request for `amount` is refused, if it has to wait for `over` to drain.
    [[nodiscard]] std::int64_t refuses_from(std::uint32_t amount, std::int64_t over) const noexcept {
        return std::int64_t{limit} - amount + over;
    }
    [[nodiscard]] Headroom headroom(std::uint64_t amount, Mono now) const noexcept;
};

/// Refuses only while it is above its limit, so the last request let in may overflow it.
struct LenientLevel : BucketLevel {
    using BucketLevel::BucketLevel;
    explicit LenientLevel(const BucketLevel& level) noexcept : BucketLevel(level) {}

    [[nodiscard]] LenientLevel at(std::int64_t now) const noexcept { return LenientLevel(drained(now)); }
    [[nodiscard]] bool fits(std::uint64_t /*wanted*/) const noexcept { return count <= limit; }
    [[nodiscard]] std::int64_t refuses_from(std::uint32_t /*amount*/, std::int64_t over) const noexcept {
        return std::int64_t{limit} + over;
    }
    [[nodiscard]] Headroom headroom(std::uint64_t amount, Mono now) const noexcept;
};

}  // namespace spillway::quota
