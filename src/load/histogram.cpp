#include "load/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace spillway::load {
namespace {

constexpr std::uint64_t largest = 86'400'000'000;  // a day

Duration from_microseconds(std::uint64_t v) noexcept {
    return std::chrono::microseconds(static_cast<std::int64_t>(v));
}

}  // namespace

Histogram::Histogram(unsigned digits) : sub_bits_(0) {
    std::uint64_t wanted = 2;
    for (unsigned i = 0; i < std::clamp(digits, 1U, 5U); ++i) wanted *= 10;
    sub_bits_ = static_cast<unsigned>(std::bit_width(wanted - 1));
}

std::size_t Histogram::index_of(std::uint64_t v) const noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(v));
    const unsigned shift = width > sub_bits_ ? width - sub_bits_ : 0;
    const std::uint64_t half = std::uint64_t{1} << (sub_bits_ - 1);
    return static_cast<std::size_t>(half * shift + (v >> shift));
}

Duration Histogram::value_at(std::size_t index) const noexcept {
    const std::uint64_t half = std::uint64_t{1} << (sub_bits_ - 1);
    const std::uint64_t i = index;
    const std::uint64_t shift = i < 2 * half ? 0 : i / half - 1;
    const std::uint64_t highest = ((i - half * shift + 1) << shift) - 1;
    return from_microseconds(std::clamp(highest, min_, max_));
}

void Histogram::record(Duration value, std::uint64_t times) {
    if (times == 0) return;
    const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    const std::uint64_t v = std::min(whole > 0 ? static_cast<std::uint64_t>(whole) : 0, largest);
    const std::size_t index = index_of(v);
    if (index >= counts_.size()) counts_.resize(index + 1);
    counts_[index] += times;
    min_ = count_ == 0 ? v : std::min(min_, v);
    max_ = std::max(max_, v);
    count_ += times;
    sum_ += static_cast<double>(v) * static_cast<double>(times);
}

void Histogram::merge(const Histogram& other) {
    if (other.count_ == 0) return;
    if (sub_bits_ == other.sub_bits_) {
        if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
        for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
    } else {
        other.each([&](Duration value, std::uint64_t times) {
            const std::size_t index =
                index_of(static_cast<std::uint64_t>(value / std::chrono::microseconds(1)));
            if (index >= counts_.size()) counts_.resize(index + 1);
            counts_[index] += times;
        });
    }
    min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    count_ += other.count_;
    sum_ += other.sum_;
}

void Histogram::clear() noexcept {
    std::fill(counts_.begin(), counts_.end(), 0);
    count_ = min_ = max_ = 0;
    sum_ = 0;
}

Duration Histogram::min() const noexcept {
    return from_microseconds(min_);
}

Duration Histogram::max() const noexcept {
    return from_microseconds(max_);
}

Duration Histogram::mean() const noexcept {
    return count_ == 0 ? Duration{} : from_seconds(sum_ / static_cast<double>(count_) * 1e-6);
}

Duration Histogram::quantile(double q) const noexcept {
    if (count_ == 0) return {};
    // A hair less, lest 0.95 of 100 values, which is 95.00000000000001, ask for the 96th.
    const double exact = std::clamp(q, 0.0, 1.0) * static_cast<double>(count_) * (1 - 1e-12);
    const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(exact)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= wanted) return value_at(i);
    }
    return max();
}

}  // namespace spillway::load
