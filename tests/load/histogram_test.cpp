#include "load/histogram.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.hpp"

namespace spillway::load {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, EmptyIsZero) {
    const Histogram h;
    EXPECT_TRUE(h.empty());
    EXPECT_EQ(h.quantile(0.99), 0ns);
    EXPECT_EQ(h.mean(), 0ns);
    EXPECT_EQ(h.max(), 0ns);
}

TEST(Histogram, SmallValuesAreExact) {
    Histogram h;
    for (int i = 1; i <= 100; ++i) h.record(std::chrono::microseconds(i));
    EXPECT_EQ(h.quantile(0.5), 50us);
    EXPECT_EQ(h.quantile(0.95), 95us);
    EXPECT_EQ(h.quantile(0.99), 99us);
    EXPECT_EQ(h.quantile(0.991), 100us);
    EXPECT_EQ(h.quantile(1), 100us);
    EXPECT_EQ(h.quantile(0), 1us);
    EXPECT_EQ(h.mean(), 50'500ns);
    EXPECT_EQ(h.count(), 100U);
}

TEST(Histogram, LargeValuesKeepThreeDigits) {
    Rng rng(7);
    for (int i = 0; i < 2000; ++i) {
        const double seconds = std::pow(10, 9 * rng.uniform() - 5);
        Histogram h;
        h.record(from_seconds(seconds));
        h.record(from_seconds(100'000));  // so that the value is not clamped to the largest
        const double known = to_seconds(h.quantile(0.5));
        EXPECT_GE(known, seconds - 1e-6);
        EXPECT_LE(known, seconds * 1.001 + 1e-6) << seconds;
    }
}

TEST(Histogram, TwoDigitsAreCoarser) {
    Histogram h(2);
    h.record(12'345us);
    h.record(1h);
    const double known = to_seconds(h.quantile(0.5));
    EXPECT_NE(h.quantile(0.5), 12'345us);
    EXPECT_NEAR(known, 0.012345, 0.012345 * 0.01);
}

TEST(Histogram, MinMaxAndMeanAreExact) {
    Histogram h;
    h.record(1'234'567us);
    h.record(7'654'321us);
    EXPECT_EQ(h.min(), 1'234'567us);
    EXPECT_EQ(h.max(), 7'654'321us);
    EXPECT_EQ(h.quantile(1), 7'654'321us);
    EXPECT_EQ(h.mean(), (1'234'567us + 7'654'321us) / 2);
}

TEST(Histogram, NegativeIsZeroAndHugeIsADay) {
    Histogram h;
    h.record(-5s);
    EXPECT_EQ(h.max(), 0us);
    h.record(1000h);
    EXPECT_EQ(h.max(), 24h);
}

TEST(Histogram, MergeIsAsIfAllWereRecorded) {
    Rng rng(3);
    Histogram all;
    Histogram a;
    Histogram b;
    for (int i = 0; i < 5000; ++i) {
        const Duration v = from_seconds(rng.uniform() * 3);
        all.record(v);
        (i % 3 == 0 ? a : b).record(v);
    }
    a.merge(b);
    EXPECT_EQ(a.count(), all.count());
    EXPECT_EQ(a.min(), all.min());
    EXPECT_EQ(a.max(), all.max());
    for (const double q : {0.01, 0.5, 0.9, 0.999}) EXPECT_EQ(a.quantile(q), all.quantile(q));
    a.merge(Histogram());
    EXPECT_EQ(a.min(), all.min());
}

TEST(Histogram, MergeOfOtherDigitsKeepsCounts) {
    Histogram coarse(2);
    coarse.record(250ms, 4);
    Histogram fine;
    fine.record(1s, 6);
    fine.merge(coarse);
    EXPECT_EQ(fine.count(), 10U);
    EXPECT_NEAR(to_seconds(fine.quantile(0.4)), 0.25, 0.0025);
    EXPECT_EQ(fine.min(), 250ms);
}

TEST(Histogram, EachGivesAllInOrder) {
    Histogram h;
    h.record(3s, 2);
    h.record(5us);
    std::vector<std::pair<Duration, std::uint64_t>> seen;
    h.each([&](Duration value, std::uint64_t times) { seen.emplace_back(value, times); });
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0], std::make_pair(Duration(5us), std::uint64_t{1}));
    EXPECT_EQ(seen[1].second, 2U);
    h.clear();
    EXPECT_TRUE(h.empty());
    EXPECT_EQ(h.quantile(0.5), 0us);
}

}  // namespace
}  // namespace spillway::load
