#pragma once
/// Counts of durations with a bounded relative error, in constant memory and time per record.
///
/// The layout is that of HdrHistogram (Gil Tene, https://hdrhistogram.github.io/HdrHistogram/), with a
/// microsecond as its unit: values below 2·10^digits are exact, above them buckets double, each split so that
/// a value is known to `digits` decimal digits. Quantiles are those of HdrHistogram: the highest value that
/// counts as equal. HdrHistogram_c itself is not packaged for Debian 12.
///
/// Units: durations are rounded down to microseconds; negative counts as 0. Ownership: a value; memory grows
/// to the largest value recorded. Thread rule: a value for one thread.
#include <bit>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"

namespace spillway::load {

class Histogram {
public:
    /// 1 to 5 digits.
    explicit Histogram(unsigned digits = 3);

    void record(Duration value, std::uint64_t times = 1);
    /// Any two may be merged; with different digits, the result has the precision of the coarser.
    void merge(const Histogram& other);
    void clear() noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// All zero when empty. min, max and mean are exact.
    [[nodiscard]] Duration min() const noexcept;
    [[nodiscard]] Duration max() const noexcept;
    [[nodiscard]] Duration mean() const noexcept;
    /// The smallest value that at least the share `q` (0 to 1) of all values does not exceed.
    [[nodiscard]] Duration quantile(double q) const noexcept;

    /// Calls f(value, times) for each value present, in ascending order.
    template <class F>
    void each(F&& f) const {
        for (std::size_t i = 0; i < counts_.size(); ++i)
            if (counts_[i] != 0) f(value_at(i), counts_[i]);
    }

private:
    [[nodiscard]] std::size_t index_of(std::uint64_t microseconds) const noexcept;
    [[nodiscard]] Duration value_at(std::size_t index) const noexcept;

    unsigned sub_bits_;  // a bucket has 2^sub_bits_ values, all but the first use their upper half
    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    std::uint64_t min_ = 0;
    std::uint64_t max_ = 0;
    double sum_ = 0;
};

}  // namespace spillway::load
