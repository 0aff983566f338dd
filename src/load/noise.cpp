#include "load/noise.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace spillway::load {
namespace {

constexpr int kDraws = 400;

/// A Poisson number: Knuth's way for small means, the normal's for others.
double poisson(double mean, Rng& rng) {
    constexpr double small = 30;
    if (mean > small) {
        const double normal =
            std::sqrt(-2 * std::log(1 - rng.uniform())) * std::cos(2 * std::numbers::pi * rng.uniform());
        return std::max(0.0, std::round(mean + std::sqrt(mean) * normal));
    }
    const double limit = std::exp(-mean);
    double product = rng.uniform();
    int count = 0;
    for (; product > limit; ++count) product *= rng.uniform();
    return count;
}

class Resampled {
public:
    explicit Resampled(const Histogram& h) {
        h.each([this](Duration value, std::uint64_t times) {
            values_.emplace_back(to_seconds(value), static_cast<double>(times));
        });
    }
    /// The quantile of one drawing anew; nothing when it drew nothing.
    [[nodiscard]] std::optional<double> draw(double q, Rng& rng) {
        drawn_.clear();
        double all = 0;
        for (const auto& [value, times] : values_) all += drawn_.emplace_back(poisson(times, rng));
        if (all == 0) return std::nullopt;
        double seen = 0;
        for (std::size_t i = 0; i < drawn_.size(); ++i) {
            seen += drawn_[i];
            if (seen >= q * all && drawn_[i] > 0) return values_[i].first;
        }
        return values_.back().first;
    }

private:
    std::vector<std::pair<double, double>> values_;
    std::vector<double> drawn_;
};

std::optional<Interval> middle(std::vector<double>& differences) {
    if (differences.size() < kDraws / 2) return std::nullopt;
    std::sort(differences.begin(), differences.end());
    const auto at = [&](double share) {
        return differences[static_cast<std::size_t>(share * static_cast<double>(differences.size() - 1))];
    };
    return Interval{at(0.025), at(0.975)};
}

}  // namespace

std::optional<Interval> quantile_difference(const Histogram& before, const Histogram& after, double q,
                                            Rng& rng) {
    if (before.empty() || after.empty()) return std::nullopt;
    Resampled a(before);
    Resampled b(after);
    std::vector<double> differences;
    for (int i = 0; i < kDraws; ++i) {
        const auto x = a.draw(q, rng);
        const auto y = b.draw(q, rng);
        if (x && y && *x > 0) differences.push_back(*y / *x - 1);
    }
    return middle(differences);
}

std::optional<Interval> rate_difference(std::uint64_t before, double before_time, std::uint64_t after,
                                        double after_time, Rng& rng) {
    if (before == 0 || before_time <= 0 || after_time <= 0) return std::nullopt;
    std::vector<double> differences;
    for (int i = 0; i < kDraws; ++i) {
        const double x = poisson(static_cast<double>(before), rng) / before_time;
        const double y = poisson(static_cast<double>(after), rng) / after_time;
        if (x > 0) differences.push_back(y / x - 1);
    }
    return middle(differences);
}

}  // namespace spillway::load
