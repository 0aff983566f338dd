#include "routing/weighted_pick.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace spillway::routing {
namespace {

std::vector<int> shares(Strategy strategy, const std::vector<Candidate>& candidates, int draws = 10'000) {
    Rng rng(1);
    std::vector<int> got(candidates.size());
    for (int i = 0; i < draws; ++i) ++got[choose(strategy, candidates, rng)];
    return got;
}

Candidate candidate(std::uint32_t weight, double headroom, double left = 0.5) {
    Candidate c;
    c.weight = weight;
    c.headroom = headroom;
    c.left = left;
    return c;
}

TEST(WeightedPick, HoldsToWeightsWhileNothingIsScarce) {
    for (const Strategy s : {Strategy::pace, Strategy::two_choices, Strategy::weighted_random}) {
        const auto got = shares(s, {candidate(3, 1.0), candidate(1, 0.99)});
        EXPECT_NEAR(got[0], 7500, 200) << to_string(s);
    }
    // pace: also when one has used more, as long as both have plenty
    EXPECT_NEAR(shares(Strategy::pace, {candidate(3, 0.8), candidate(1, 1.0)})[0], 7500, 200);
}

TEST(WeightedPick, AWindowJustBegunKeepsItsShareWhileQuotaIsPlentiful) {
    const std::array two{candidate(1, 0.999, 1.0), candidate(1, 0.999, 0.3)};
    Rng rng(7);
    int fresh = 0;
    for (int i = 0; i < 10'000; ++i) fresh += choose(Strategy::pace, two, rng) == 0 ? 1 : 0;
    EXPECT_NEAR(fresh, 5'000, 250);
}

TEST(WeightedPick, ByPaceTheWindowThatIsBehindGoesFirst) {
    // Half is left of both, but the second one's window is nearly over.
    const auto got = shares(Strategy::pace, {candidate(1, 0.5, 0.6), candidate(1, 0.5, 0.1)});
    EXPECT_EQ(got[1], 10'000);
    // Of three the worst is never better than one of the others.
    EXPECT_EQ(
        shares(Strategy::pace, {candidate(1, 0.1, 0.9), candidate(1, 0.5, 0.5), candidate(1, 0.5, 0.5)})[0],
        0);
}

TEST(WeightedPick, ByPaceTheMostUrgentOfAllGoesFirst) {
    // Both are used evenly; the first one's window ends sooner.
    EXPECT_EQ(shares(Strategy::pace, {candidate(1, 0.3, 0.3), candidate(1, 0.7, 0.7)})[0], 10'000);
    // Weights do not hide the one whose quota expires first.
    EXPECT_EQ(shares(Strategy::pace,
                     {candidate(100, 0.5, 0.6), candidate(100, 0.5, 0.5), candidate(1, 0.5, 0.1)})[2],
              10'000);
}

TEST(WeightedPick, OtherStrategiesDoWhatTheyAreCalled) {
    const std::vector<Candidate> c{candidate(5, 0.3, 0.9), candidate(1, 0.9, 0.5), candidate(1, 0.5, 0.1)};
    EXPECT_EQ(shares(Strategy::most_headroom, c)[1], 10'000);
    EXPECT_EQ(shares(Strategy::best_fit, c)[0], 10'000);
    EXPECT_EQ(shares(Strategy::soonest_reset, c)[2], 10'000);
    EXPECT_EQ(shares(Strategy::two_choices, c)[0], 0);
    for (int s = 0; s <= static_cast<int>(Strategy::weighted_random); ++s)
        EXPECT_FALSE(to_string(static_cast<Strategy>(s)).empty());
}

TEST(WeightedPick, LeavesTheOneThatCollectsRequests) {
    Candidate stuck = candidate(1, 1);
    stuck.in_flight = 50;
    EXPECT_EQ(shares(Strategy::pace, {stuck, candidate(1, 1)})[0], 0);
}

TEST(WeightedPick, WeightsOfZeroHarmNothing) {
    EXPECT_EQ(shares(Strategy::pace, {candidate(0, 1)})[0], 10'000);
    const auto got = shares(Strategy::pace, {candidate(0, 1), candidate(0, 1)});
    EXPECT_EQ(got[0] + got[1], 10'000);
}

TEST(WeightedPick, AffinityMovesOnlyTheShareOfTheOneThatLeaves) {
    std::vector<Candidate> three{candidate(1, 1), candidate(1, 1), candidate(2, 1)};
    for (std::size_t i = 0; i < 3; ++i) three[i].hash = 1000 + i * 7919;
    const std::vector<Candidate> two{three[0], three[1]};
    int moved = 0;
    int heavy = 0;
    for (std::uint64_t a = 1; a <= 4000; ++a) {
        const auto before = choose_by_affinity(three, a);
        heavy += before == 2 ? 1 : 0;
        moved += before != 2 && choose_by_affinity(two, a) != before ? 1 : 0;
    }
    EXPECT_EQ(moved, 0);
    EXPECT_NEAR(heavy, 2000, 150);
    three[0].headroom = three[1].headroom = three[2].headroom = 0.05;
    EXPECT_EQ(choose_by_affinity(three, 5), 3U);
}

}  // namespace
}  // namespace spillway::routing
