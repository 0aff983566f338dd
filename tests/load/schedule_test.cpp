#include "load/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace spillway::load {
namespace {

using namespace std::chrono_literals;

std::vector<double> all(Arrivals arrivals) {
    std::vector<double> out;
    while (const auto due = arrivals.next()) out.push_back(to_seconds(*due));
    return out;
}

TEST(Curve, RampsThenHolds) {
    const Curve c = Curve::steady(20, 10s, 30s);
    EXPECT_EQ(c.length(), 30s);
    EXPECT_DOUBLE_EQ(c.at(0s), 0);
    EXPECT_DOUBLE_EQ(c.at(5s), 10);
    EXPECT_DOUBLE_EQ(c.at(10s), 20);
    EXPECT_DOUBLE_EQ(c.at(29s), 20);
    EXPECT_DOUBLE_EQ(c.at(30s), 0);
    EXPECT_DOUBLE_EQ(c.area(10s), 100);
    EXPECT_DOUBLE_EQ(c.area(30s), 500);
    EXPECT_DOUBLE_EQ(c.highest(), 20);
}

TEST(Curve, WhenIsTheInverseOfArea) {
    const Curve c(2, {{10s, 8}, {5s, 8}, {10s, 0}});
    for (double a = 0; a < 130; a += 3.7) {
        const auto when = c.when(a);
        ASSERT_EQ(when.has_value(), a < 130) << a;
        EXPECT_NEAR(c.area(*when), a, 1e-6);
    }
    EXPECT_FALSE(c.when(130.1));
}

TEST(Curve, ReachesALevelWhereItRises) {
    const Curve c(0, {{10s, 10}, {10s, 0}, {10s, 20}});
    EXPECT_NEAR(to_seconds(*c.reaches(5, 0s)), 5, 1e-6);
    EXPECT_NEAR(to_seconds(*c.reaches(5, 12s)), 12, 1e-6);
    EXPECT_NEAR(to_seconds(*c.reaches(5, 16s)), 22.5, 1e-6);
    EXPECT_NEAR(to_seconds(*c.reaches(10, 0s)), 10, 1e-6);
    EXPECT_FALSE(c.reaches(21, 0s));
    EXPECT_FALSE(c.reaches(1, 30s));
}

TEST(Curve, SteadyWithoutRampHasAllUsersAtOnce) {
    const Curve c = Curve::steady(3, 0s, 1s);
    for (const double level : {1.0, 2.0, 3.0}) EXPECT_EQ(c.reaches(level, 0s), Duration(0s));
    EXPECT_FALSE(c.reaches(4, 0s));
}

TEST(Arrivals, EvenOnesAreSpacedByTheRate) {
    const auto due = all(Arrivals(Curve::steady(4, 0s, 10s), false, 1));
    ASSERT_EQ(due.size(), 40U);
    for (std::size_t i = 0; i < due.size(); ++i) EXPECT_NEAR(due[i], static_cast<double>(i) * 0.25, 1e-6);
}

TEST(Arrivals, RampedOnesFollowTheArea) {
    const auto due = all(Arrivals(Curve::steady(10, 10s, 20s), false, 1));
    ASSERT_EQ(due.size(), 150U);
    std::size_t in_ramp = 0;
    for (const double d : due) in_ramp += d < 10 ? 1 : 0;
    EXPECT_EQ(in_ramp, 50U);
}

TEST(Arrivals, PoissonHasItsRateAndItsVariance) {
    const auto due = all(Arrivals(Curve::steady(50, 0s, 1000s), true, 42));
    const double n = static_cast<double>(due.size());
    EXPECT_NEAR(n, 50'000, 4 * std::sqrt(50'000));
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 1; i < due.size(); ++i) {
        const double gap = due[i] - due[i - 1];
        ASSERT_GE(gap, 0);
        sum += gap;
        squares += gap * gap;
    }
    const double mean = sum / (n - 1);
    const double deviation = std::sqrt(squares / (n - 1) - mean * mean);
    EXPECT_NEAR(mean, 0.02, 0.0004);
    EXPECT_NEAR(deviation, mean, 0.02 * mean);  // as of an exponential distribution
}

TEST(Arrivals, SameSeedSameTimes) {
    const Curve c = Curve::steady(5, 2s, 20s);
    EXPECT_EQ(all(Arrivals(c, true, 9)), all(Arrivals(c, true, 9)));
    EXPECT_NE(all(Arrivals(c, true, 9)), all(Arrivals(c, true, 10)));
}

TEST(Stages, AreRead) {
    const auto stages = parse_stages("30s:10, 1m:50,500ms:0");
    ASSERT_TRUE(stages);
    EXPECT_EQ(*stages, (std::vector<Stage>{{30s, 10}, {60s, 50}, {500ms, 0}}));
    for (const char* bad : {"", "30s", "30s:", ":5", "30s:-1", "x:1", "30s:10,", "30s:ten"})
        EXPECT_FALSE(parse_stages(bad)) << bad;
}

TEST(Draws, LogNormalHasItsMedianAndSpread) {
    Rng rng(5);
    int below = 0;
    double sum = 0;
    double squares = 0;
    constexpr int n = 40'000;
    for (int i = 0; i < n; ++i) {
        const double v = draw_log_normal(rng, 100, 0.5);
        below += v < 100 ? 1 : 0;
        sum += std::log(v / 100);
        squares += std::log(v / 100) * std::log(v / 100);
    }
    EXPECT_NEAR(below, n / 2, 4 * std::sqrt(n) / 2);
    EXPECT_NEAR(sum / n, 0, 0.01);
    EXPECT_NEAR(std::sqrt(squares / n), 0.5, 0.01);
}

}  // namespace
}  // namespace spillway::load
