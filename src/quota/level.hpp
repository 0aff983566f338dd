#pragma once
/// The state of a quota's counter, and what follows from it: one plain value for each kind of counter, with
/// pure functions of it and the time. quota/meter.hpp describes the three kinds.
///
/// Units: tokens or requests; counts saturate at 2³² − 1. Times in ticks (quota/ticks.hpp). Thread rule:
/// values; copy and use them anywhere. Errors: none.
#include <cstdint>

#include "base/clock.hpp"
#include "quota/ticks.hpp"

namespace spillway::quota {

/// The largest count.
inline constexpr std::uint64_t max_count = 0xffffffffU;

/// Where a limit is known from.
enum class Basis : std::uint8_t {
    none,      ///< no limit is known: everything fits
    guessed,   ///< from what a backend reported as remaining: a preference, never a reason to refuse
    reported,  ///< configured, or in a header
};

/// Whether a request fits what is left of a quota.
struct Headroom {
    bool fits = true;
    /// It may fit after all: the limit is a guess, or the window may be over already.
    bool unsure = false;
    bool never = false;  ///< it certainly exceeds the whole quota
    Duration wait{};     ///< until it fits; zero if it does
    double share = 1;    ///< share of the limit that would be left, 0 to 1; 1 if no limit is known
    double left = 0.5;   ///< share of the window's time that is certainly left, 0 to 1; 0.5 for a bucket
};

/// Common to all kinds.
struct Level {
    std::int64_t time = 0;  ///< end of a window, or time of a bucket's count
    std::uint32_t count = 0;
    std::uint32_t limit = 0;      ///< 0: none is known
    std::int32_t length = 1;      ///< ticks until the whole limit is available again
    std::uint8_t generation = 0;  ///< changes with each window; 0 only before the first
    Basis basis = Basis::none;

    explicit Level(Duration period) noexcept;

    /// A reported limit replaces a guessed one, never the reverse.
    void set_limit(std::uint64_t value, Basis why) noexcept;
    [[nodiscard]] bool is_limited() const noexcept { return basis != Basis::none && limit != 0; }
    /// What a request of `amount` counts: more than the whole limit counts as fitting an empty counter.
    [[nodiscard]] std::uint64_t need(std::uint64_t amount) const noexcept;
    void add(std::uint64_t amount) noexcept;
    /// Adds `delta` if the count is still of this generation. Returns by how much it changed.
    std::int64_t correct(std::uint8_t of_generation, std::int64_t delta) noexcept;

protected:
    [[nodiscard]] Headroom headroom_for(std::uint64_t wanted, bool fits) const noexcept;
    void next_generation() noexcept;
    /// Starts again if `period` is not the present length; true if so.
    bool restart(Duration period) noexcept;
};

/// Reset at fixed times. The old count is valid until `time`.
struct WindowLevel : Level {
    std::int32_t gap;  ///< the window ends in (time − gap, time]; equal to length: the end is unknown
    std::uint32_t carry = 0;  ///< counted within the gap, so perhaps in the next window

    explicit WindowLevel(Duration period) noexcept : Level(period), gap(length) {}

    /// The level at `now`: a new window if the old one has certainly ended.
    [[nodiscard]] WindowLevel at(std::int64_t now) const noexcept;
    /// Whether the window may have ended by `now`.
    [[nodiscard]] bool may_have_ended(std::int64_t now) const noexcept { return now >= time - gap; }
    [[nodiscard]] bool fits(std::uint64_t wanted) const noexcept { return count + wanted <= limit; }
    [[nodiscard]] Headroom headroom(std::uint64_t amount, Mono now) const noexcept;
    /// For windows of another length: discards what was known.
    void set_length(Duration period) noexcept;
    /// Passes the window and its count to the next generation.
    void roll() noexcept { next_generation(); }
};

/// Drains continuously, its whole limit in `length`.
struct BucketLevel : Level {
    using Level::Level;

    [[nodiscard]] BucketLevel drained(std::int64_t now) const noexcept;
    void set_length(Duration period) noexcept { (void)restart(period); }

protected:
    /// For a level drained to `now`, where `over` must drain before the request fits.
    [[nodiscard]] Headroom headroom_at(std::uint64_t wanted, bool fits, std::int64_t over,
                                       Mono now) const noexcept;
};

/// Refuses what does not fit.
struct StrictLevel : BucketLevel {
    using BucketLevel::BucketLevel;
    explicit StrictLevel(const BucketLevel& level) noexcept : BucketLevel(level) {}

    [[nodiscard]] StrictLevel at(std::int64_t now) const noexcept { return StrictLevel(drained(now)); }
    [[nodiscard]] bool fits(std::uint64_t wanted) const noexcept { return count + wanted <= limit; }
    /// The least count that refuses a request for `amount` until `over` has drained.
    [[nodiscard]] std::int64_t refuses_from(std::uint32_t amount, std::int64_t over) const noexcept {
        return std::int64_t{limit} - amount + over;
    }
    [[nodiscard]] Headroom headroom(std::uint64_t amount, Mono now) const noexcept;
};

/// Refuses only while above its limit, so the last request admitted may overflow it.
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
