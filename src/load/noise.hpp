#pragma once
/// Whether the difference of two runs is more than chance: an interval by bootstrap (Efron, 1979). Each run's
/// values are drawn anew from themselves many times, with every count Poisson about what it was; the middle
/// 95 % of the differences so found are the interval.
///
/// It knows of no drift between the runs: two runs of the same, an hour apart, may differ by more.
/// Thread rule: pure, randomness is handed in. Errors: nothing where a run has no values.
#include <cstdint>
#include <optional>

#include "base/rng.hpp"
#include "load/histogram.hpp"

namespace spillway::load {

/// Of the relative difference: 0.1 is 10 % more.
struct Interval {
    double low = 0;
    double high = 0;
    [[nodiscard]] bool has_zero() const noexcept { return low <= 0 && high >= 0; }
};

[[nodiscard]] std::optional<Interval> quantile_difference(const Histogram& before, const Histogram& after,
                                                          double q, Rng& rng);
/// Of two counts, each in its time (of any unit, the same for both).
[[nodiscard]] std::optional<Interval> rate_difference(std::uint64_t before, double before_time,
                                                      std::uint64_t after, double after_time, Rng& rng);

}  // namespace spillway::load
