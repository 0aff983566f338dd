#pragma once
/// Whether the difference of two runs exceeds chance: a bootstrap interval (Efron, 1979). Each run's values
/// are resampled many times, each count from a Poisson distribution around its value; the interval is the
/// middle 95 % of the resulting differences.
///
/// It ignores drift between the runs: two equal runs an hour apart may differ by more.
/// Thread rule: pure, randomness is passed in. Errors: nullopt if a run has no values.
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
