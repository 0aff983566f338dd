#include "load/noise.hpp"

#include <gtest/gtest.h>

namespace spillway::load {
namespace {

/// `n` values about 100 ms, `factor` times as long.
Histogram times(int n, double factor, std::uint64_t seed) {
    Rng rng(seed);
    Histogram out;
    for (int i = 0; i < n; ++i)
        out.record(std::chrono::microseconds(static_cast<int>((50'000 + rng.uniform() * 100'000) * factor)));
    return out;
}

TEST(Noise, FewValuesOfTheSameKindDifferByChance) {
    Rng rng(1);
    const auto found = quantile_difference(times(20, 1, 1), times(20, 1.1, 2), 0.5, rng);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->has_zero()) << found->low << " " << found->high;
}

TEST(Noise, ManyValuesShowTheSameDifference) {
    Rng rng(1);
    const auto found = quantile_difference(times(20'000, 1, 1), times(20'000, 1.1, 2), 0.5, rng);
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->has_zero());
    EXPECT_GT(found->low, 0.05);
    EXPECT_LT(found->high, 0.15);
}

TEST(Noise, RatesAreComparedByTheirCounts) {
    Rng rng(1);
    EXPECT_TRUE(rate_difference(100, 10, 110, 10, rng)->has_zero());
    EXPECT_FALSE(rate_difference(10'000, 10, 11'000, 10, rng)->has_zero());
    EXPECT_TRUE(rate_difference(10'000, 10, 20'000, 20, rng)->has_zero());
    EXPECT_FALSE(rate_difference(0, 10, 5, 10, rng));
}

TEST(Noise, NothingIsSaidOfNothing) {
    Rng rng(1);
    EXPECT_FALSE(quantile_difference(Histogram(), times(9, 1, 1), 0.5, rng));
}

}  // namespace
}  // namespace spillway::load
