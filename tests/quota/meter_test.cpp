#include "quota/meter.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;
using api::QuotaModel;

constexpr Mono t0 = Mono(5000s);
/// Time is kept in ticks of 16 ms, and two of them are allowed for the way.
constexpr Duration tick = 50ms;

/// Asked what it stands at.
struct TestMeter : Meter {
    using Meter::Meter;
    [[nodiscard]] std::uint64_t used(Mono now) const { return level().used(now); }
    [[nodiscard]] Headroom headroom(std::uint64_t amount, Mono now) const {
        return level().headroom(amount, now);
    }
    [[nodiscard]] Duration phase_gap() const { return level().phase_gap(); }
    [[nodiscard]] Duration length() const { return level().length(); }
};

struct LimitedWindow : TestMeter {
    explicit LimitedWindow(std::uint64_t limit) : TestMeter(QuotaModel::window, 60s) {
        set_limit(limit, Basis::reported);
    }
};

TEST(Meter, EverythingFitsWithoutALimit) {
    TestMeter m(QuotaModel::window, 60s);
    EXPECT_TRUE(m.headroom(1'000'000'000, t0).fits);
    EXPECT_EQ(m.headroom(5, t0).share, 1);
    EXPECT_TRUE(m.reserve(1'000'000, t0, false));
    EXPECT_EQ(m.used(t0), 1'000'000U);
    EXPECT_TRUE(m.reserve(1'000'000'000, t0, false));
}

TEST(Meter, ReservesUpToTheLimitAndNotBeyond) {
    LimitedWindow m(1000);
    EXPECT_TRUE(m.reserve(600, t0, false));
    EXPECT_TRUE(m.reserve(400, t0, false));
    EXPECT_FALSE(m.reserve(1, t0, false));
    const Headroom full = m.headroom(1, t0 + 10s);
    EXPECT_FALSE(full.fits);
    EXPECT_EQ(full.share, 0);
    EXPECT_NEAR(to_seconds(full.wait), 50, 0.05);
    EXPECT_TRUE(full.unsure);             // nobody knows when the backend's minute began
    EXPECT_TRUE(m.reserve(1, t0, true));  // forced
    EXPECT_EQ(m.used(t0), 1001U);
}

TEST(Meter, MoreThanTheLimitFitsAnEmptyWindowOnly) {
    LimitedWindow m(1000);
    EXPECT_TRUE(m.reserve(5000, t0, false));
    EXPECT_FALSE(m.headroom(5000, t0).fits);
}

TEST(Meter, BeginsANewWindowWhenTheOldOneHasEnded) {
    LimitedWindow m(1000);
    ASSERT_TRUE(m.reserve(1000, t0, false));
    EXPECT_FALSE(m.headroom(10, t0 + 59s).fits);
    EXPECT_TRUE(m.headroom(1000, t0 + 60s + tick).fits);
    EXPECT_EQ(m.used(t0 + 60s + tick), 0U);
    EXPECT_TRUE(m.reserve(1000, t0 + 10min, false));
    EXPECT_TRUE(m.headroom(1000, t0 + 300h).fits);  // longer than its clock can tell apart
}

TEST(Meter, GivesBackWhatWasNotCharged) {
    LimitedWindow m(1000);
    const auto a = m.reserve(700, t0, false);
    m.release(*a);
    EXPECT_EQ(m.used(t0), 0U);
    m.release(*a);  // a mistake of the caller: still not negative
    EXPECT_EQ(m.used(t0), 0U);
}

TEST(Meter, GivesNothingBackIntoALaterWindow) {
    LimitedWindow m(1000);
    const auto a = m.reserve(700, t0, false);
    ASSERT_TRUE(m.reserve(300, t0 + 70s, false));
    m.release(*a);
    EXPECT_EQ(m.used(t0 + 70s), 300U);
}

TEST(Meter, IsCorrectedByWhatTheBackendTells) {
    LimitedWindow m(1000);
    const auto a = m.reserve(100, t0, false);
    const auto b = m.reserve(100, t0 + 100ms, false);
    m.observe(*a, t0, 150);  // the first was charged 150
    EXPECT_EQ(m.used(t0 + 200ms), 250U);
    m.observe(*b, t0 + 100ms, 300);
    EXPECT_EQ(m.used(t0 + 200ms), 300U);
}

TEST(Meter, IsCorrectedRightInAnyOrder) {
    LimitedWindow m(10'000);
    std::vector<Hold> holds;
    for (int i = 0; i < 10; ++i) holds.push_back(*m.reserve(100, t0 + i * 100ms, false));
    // Each was charged 130; heads come backwards.
    for (int i = 9; i >= 0; --i)
        m.observe(holds[static_cast<std::size_t>(i)], t0 + i * 100ms, 130U * static_cast<unsigned>(i + 1));
    EXPECT_EQ(m.used(t0 + 1s), 1300U);
}

TEST(Meter, MeasuresWhatOneRequestWasCharged) {
    LimitedWindow m(10'000);
    const auto a = m.reserve(100, t0, false);
    const auto b = m.reserve(200, t0 + 100ms, false);
    const auto c = m.reserve(300, t0 + 200ms, false);
    EXPECT_FALSE(m.observe(*a, t0, 110));
    EXPECT_EQ(m.observe(*b, t0 + 100ms, 360), 250U);
    EXPECT_EQ(m.observe(*c, t0 + 200ms, 660), 300U);
}

TEST(Meter, MeasuresNothingWhereOneMayHaveOvertakenTheOther) {
    LimitedWindow m(10'000);
    const auto a = m.reserve(100, t0, false);
    const auto b = m.reserve(200, t0 + 100ms, false);
    const auto c = m.reserve(300, t0 + 110ms, false);
    const auto d = m.reserve(400, t0 + 300ms, false);
    m.observe(*a, t0, 100);
    EXPECT_FALSE(m.observe(*c, t0 + 110ms, 400));  // arrived before b
    EXPECT_FALSE(m.observe(*b, t0 + 100ms, 600));
    EXPECT_EQ(m.used(t0 + 400ms), 1000U);  // no error that would have to be corrected
    EXPECT_TRUE(m.observe(*d, t0 + 300ms, 1000));
    EXPECT_EQ(m.used(t0 + 400ms), 1000U);
}

/// 30 requests sent within 30 ms that arrive in the opposite order; each is charged `charge`, not 100. Their
/// heads are seen from `first` on, round and round. Returns what is counted in the end.
std::uint64_t used_after_burst(unsigned charge, std::size_t first) {
    LimitedWindow m(30'000);
    std::vector<Hold> holds;
    for (int i = 0; i < 30; ++i) holds.push_back(*m.reserve(100, t0 + i * 1ms, false));
    for (std::size_t k = 0; k < holds.size(); ++k) {
        const std::size_t i = (first + k) % holds.size();
        m.observe(holds[i], t0 + i * 1ms, charge * (30 - i));
    }
    return m.used(t0 + 1s);
}

TEST(Meter, ABurstMayArriveInAnyOrder) {
    for (const std::size_t first : {0U, 7U, 15U, 29U}) {
        EXPECT_EQ(used_after_burst(100, first), 3000U) << first;
        // Being charged more is no matter of order, ...
        EXPECT_EQ(used_after_burst(130, first), 3900U) << first;
        // ... being charged less may be, until somebody comes alone.
        EXPECT_GE(used_after_burst(70, first), 2100U) << first;
    }
    LimitedWindow m(30'000);
    const auto a = m.reserve(100, t0, false);
    const auto b = m.reserve(100, t0, false);
    const auto alone = m.reserve(100, t0 + 1s, false);
    m.observe(*a, t0, 140);
    m.observe(*b, t0, 70);
    m.observe(*alone, t0 + 1s, 210);
    EXPECT_EQ(m.used(t0 + 1s), 210U);
}

TEST(Meter, TellsHowMuchOfTheWindowIsSurelyLeft) {
    LimitedWindow m(1000);
    ASSERT_TRUE(m.reserve(10, t0, false));
    EXPECT_EQ(m.headroom(1, t0 + 1s).left, 0);  // it may end at any time
    m.resets(t0, 40s);                          // within (39, 40]
    EXPECT_NEAR(m.headroom(1, t0).left, 39.0 / 60, 0.002);
    EXPECT_NEAR(m.headroom(1, t0 + 20s).left, 19.0 / 60, 0.002);
    EXPECT_EQ(m.headroom(1, t0 + 39'500ms).left, 0);
}

TEST(Meter, LearnsThePhaseFromACountThatFell) {
    LimitedWindow m(1000);
    EXPECT_EQ(m.phase_gap(), m.length());
    const auto a = m.reserve(500, t0, false);
    m.observe(*a, t0, 900);  // others have used it as well
    EXPECT_FALSE(m.headroom(200, t0 + 20s).fits);
    const auto b = m.reserve(50, t0 + 20s, false);
    m.observe(*b, t0 + 20s, 50);  // so there was a reset in between
    EXPECT_EQ(m.used(t0 + 20s), 50U);
    EXPECT_TRUE(m.headroom(900, t0 + 20s).fits);
    EXPECT_NEAR(to_seconds(m.phase_gap()), 20, 0.1);
    // The new window ends within (60, 80]: full until 80, unsure from 60 on.
    ASSERT_TRUE(m.reserve(950, t0 + 21s, false));
    EXPECT_FALSE(m.headroom(10, t0 + 59s).unsure);
    EXPECT_TRUE(m.headroom(10, t0 + 61s).unsure);
    EXPECT_NEAR(to_seconds(m.headroom(10, t0 + 61s).wait), 19, 0.1);
    EXPECT_TRUE(m.headroom(10, t0 + 80s + tick).fits);
}

TEST(Meter, NarrowsThePhaseWithEveryReset) {
    LimitedWindow m(10'000);
    // The backend resets at t0 + 13 s + k minutes; requests come at random.
    Rng rng(3);
    std::uint64_t real = 0;
    Mono reset = t0 + 13s;
    for (Mono now = t0; now < t0 + 10min; now += from_seconds(0.5 + 3 * rng.uniform())) {
        while (now >= reset) {
            reset += 60s;
            real = 0;
        }
        const auto c = m.reserve(50, now, true);
        real += 50;
        m.observe(*c, now, real);
        EXPECT_EQ(m.used(now), real);
    }
    EXPECT_LT(to_seconds(m.phase_gap()), 1.5);
    const Mono end = t0 + 10min + 13s;
    const auto fill = m.reserve(10'000 - m.used(end - 2s), end - 2s, false);
    ASSERT_TRUE(fill);
    EXPECT_FALSE(m.headroom(100, end - 1700ms).fits);
    EXPECT_TRUE(m.headroom(100, end + 1700ms).fits);
}

TEST(Meter, WhatIsSentWhileTheEndIsNotSureCountsInTheNextWindowToo) {
    LimitedWindow m(1000);
    ASSERT_TRUE(m.reserve(10, t0, false));
    m.resets(t0, 10s);  // within (9, 10]
    ASSERT_TRUE(m.reserve(400, t0 + 9500ms, false));
    EXPECT_EQ(m.used(t0 + 10s + tick), 400U);
    ASSERT_TRUE(m.reserve(1, t0 + 11s, false));
    EXPECT_EQ(m.used(t0 + 70s + tick), 0U);
}

TEST(Meter, ARefusalFillsItAndTellsThePhase) {
    LimitedWindow m(1000);
    const auto a = m.reserve(300, t0, false);
    m.refused(*a, t0, 7s, std::nullopt);
    EXPECT_FALSE(m.headroom(300, t0 + 1s).fits);
    EXPECT_TRUE(m.headroom(299, t0 + 1s).fits);  // less may still fit
    EXPECT_NEAR(to_seconds(m.headroom(300, t0 + 1s).wait), 6, 0.05);
    EXPECT_FALSE(m.headroom(300, t0 + 5s).unsure);
    EXPECT_TRUE(m.headroom(1000, t0 + 7s + tick).fits);
    // and the minute after
    ASSERT_TRUE(m.reserve(1000, t0 + 8s, false));
    EXPECT_NEAR(to_seconds(m.headroom(300, t0 + 8s).wait), 59, 0.05);
}

TEST(Meter, ARefusalThatTellsTheCountIsBelieved) {
    LimitedWindow m(1000);
    ASSERT_TRUE(m.reserve(100, t0, false));
    const auto a = m.reserve(300, t0 + 1s, false);
    m.refused(*a, t0 + 1s, 7s, 850);
    EXPECT_EQ(m.used(t0 + 1s), 850U);
    // An absurd wait says nothing of the phase.
    const auto b = m.reserve(100, t0 + 2s, false);
    m.refused(*b, t0 + 2s, 86'400s, 950);
    EXPECT_NEAR(to_seconds(m.headroom(100, t0 + 2s).wait), 6, 0.05);
}

TEST(Meter, HeadsOfAnEarlierWindowChangeNothing) {
    LimitedWindow m(1000);
    const auto late = m.reserve(500, t0, false);
    m.resets(t0, 5s);
    ASSERT_TRUE(m.reserve(10, t0 + 6s, false));
    m.observe(*late, t0, 999);
    EXPECT_EQ(m.used(t0 + 6s), 10U);
}

TEST(Meter, AToldLimitBeatsAGuessedOne) {
    TestMeter m(QuotaModel::window, 60s);
    m.set_limit(100, Basis::guessed);
    ASSERT_TRUE(m.reserve(100, t0, false));
    EXPECT_TRUE(m.headroom(1, t0).unsure);
    m.set_limit(1000, Basis::reported);
    m.set_limit(50, Basis::guessed);
    EXPECT_EQ(m.level().limit(), 1000U);
    EXPECT_TRUE(m.headroom(800, t0).fits);
}

TEST(Meter, AChangedLengthBeginsAnew) {
    LimitedWindow m(10);
    ASSERT_TRUE(m.reserve(10, t0, false));
    m.set_length(1s);
    EXPECT_TRUE(m.headroom(10, t0).fits);
    ASSERT_TRUE(m.reserve(10, t0, false));
    EXPECT_LE(m.headroom(1, t0).wait, 1100ms);
}

TEST(Meter, AStrictBucketDrainsAllTheTime) {
    TestMeter m(QuotaModel::strict_bucket, 60s);
    m.set_limit(600, Basis::reported);  // 10 a second
    ASSERT_TRUE(m.reserve(600, t0, false));
    const Headroom r = m.headroom(50, t0);
    EXPECT_FALSE(r.fits);
    EXPECT_FALSE(r.unsure);
    EXPECT_NEAR(to_seconds(r.wait), 5, 0.1);
    EXPECT_TRUE(m.headroom(50, t0 + 5100ms).fits);
    EXPECT_FALSE(m.headroom(60, t0 + 5100ms).fits);
    EXPECT_EQ(m.used(t0 + 61s), 0U);
    // Slow drains are not lost, however often one looks.
    TestMeter slow(QuotaModel::strict_bucket, 60s);
    slow.set_limit(60, Basis::reported);
    ASSERT_TRUE(slow.reserve(60, t0, false));
    int got = 0;
    for (Mono now = t0; now < t0 + 30s; now += 20ms) got += slow.reserve(1, now, false) ? 1 : 0;
    EXPECT_NEAR(got, 30, 1);
}

TEST(Meter, ALenientBucketRefusesAboveItsCapacityOnly) {
    TestMeter m(QuotaModel::lenient_bucket, 60s);
    m.set_limit(600, Basis::reported);
    EXPECT_TRUE(m.reserve(500, t0, false));
    EXPECT_TRUE(m.reserve(500, t0, false));  // below 100 %: let in
    EXPECT_FALSE(m.reserve(1, t0, false));
    EXPECT_NEAR(to_seconds(m.headroom(1, t0).wait), 40, 0.1);
    EXPECT_TRUE(m.headroom(1, t0 + 40200ms).fits);
    const auto c = m.reserve(1, t0 + 41s, false);
    m.refused(*c, t0 + 41s, 3s, std::nullopt);
    EXPECT_NEAR(to_seconds(m.headroom(1, t0 + 41s).wait), 3, 0.1);
}

TEST(Meter, AStrictBucketIsCorrectedByARefusal) {
    TestMeter m(QuotaModel::strict_bucket, 60s);
    m.set_limit(600, Basis::reported);
    const auto a = m.reserve(100, t0, false);
    m.refused(*a, t0, 5s, std::nullopt);  // 50 have to drain before 100 fit
    EXPECT_EQ(m.used(t0), 550U);
    EXPECT_NEAR(to_seconds(m.headroom(100, t0).wait), 5, 0.1);
    EXPECT_TRUE(m.headroom(50, t0).fits);
    // A wait that is longer than all takes to drain says nothing more than that it is full.
    TestMeter absurd(QuotaModel::strict_bucket, 60s);
    absurd.set_limit(600, Basis::reported);
    absurd.refused(*absurd.reserve(100, t0, false), t0, 3600s, std::nullopt);
    EXPECT_EQ(absurd.used(t0), 501U);
}

TEST(Meter, ABucketIsCorrectedByWhatTheBackendReports) {
    for (const auto model : {QuotaModel::strict_bucket, QuotaModel::lenient_bucket}) {
        TestMeter m(model, 60s);
        m.set_limit(600, Basis::reported);
        const auto a = m.reserve(100, t0, false);
        EXPECT_FALSE(m.observe(*a, t0, 250));  // never a measured charge
        EXPECT_EQ(m.used(t0), 250U);
        m.resets(t0, 1s);  // it has no phase
        EXPECT_EQ(m.used(t0 + 2s), 230U);
        EXPECT_EQ(m.phase_gap(), m.length());
    }
}

TEST(Meter, AChangedLengthForgetsHoldsToo) {
    LimitedWindow m(1000);
    const auto a = m.reserve(500, t0, false);
    m.set_length(10s);
    ASSERT_TRUE(m.reserve(200, t0, false));
    m.release(*a);
    EXPECT_EQ(m.used(t0), 200U);
}

TEST(Meter, OthersCountAsWell) {
    for (const auto model : {QuotaModel::window, QuotaModel::strict_bucket, QuotaModel::lenient_bucket}) {
        TestMeter m(model, 60s);
        m.set_limit(1000, Basis::reported);
        m.others_sent(800, t0);
        m.others_sent(-100, t0);
        EXPECT_EQ(m.used(t0), 700U);
        m.others_sent(900, t0);  // they did not ask us
        EXPECT_FALSE(m.headroom(1, t0).fits);
    }
}

TEST(Meter, AGuessedLimitIsNeverCertain) {
    for (const auto model : {QuotaModel::window, QuotaModel::strict_bucket, QuotaModel::lenient_bucket}) {
        TestMeter m(model, 60s);
        m.set_limit(100, Basis::guessed);
        ASSERT_TRUE(m.reserve(100, t0, false));
        ASSERT_TRUE(m.reserve(100, t0, true));
        EXPECT_FALSE(m.headroom(1, t0).fits);
        EXPECT_TRUE(m.headroom(1, t0).unsure);
    }
}

TEST(Meter, CountsSaturate) {
    for (const auto model : {QuotaModel::window, QuotaModel::strict_bucket, QuotaModel::lenient_bucket}) {
        TestMeter m(model, 60s);
        for (int i = 0; i < 3; ++i) ASSERT_TRUE(m.reserve(3'000'000'000, t0, false));
        EXPECT_EQ(m.used(t0), max_count);
    }
}

TEST(MeterProperty, RecoveryIsMonotone) {
    Rng rng(11);
    for (int round = 0; round < 200; ++round) {
        const auto model = static_cast<QuotaModel>(round % 3);
        TestMeter m(model, 60s);
        m.set_limit(1 + rng.below(5000), Basis::reported);
        Mono now = t0;
        for (int i = 0; i < 20; ++i) {
            now += from_seconds(rng.uniform() * 5);
            const auto c = m.reserve(rng.below(800), now, rng.below(4) == 0);
            if (c && rng.below(3) == 0) m.observe(*c, now, rng.below(5000));
            if (c && rng.below(5) == 0) m.refused(*c, now, from_seconds(rng.uniform() * 80), rng.below(5000));
        }
        // Left alone, what is used only falls, and in two windows nothing is left.
        std::uint64_t before = m.used(now);
        for (int i = 0; i < 300; ++i) {
            now += 500ms;
            const auto after = m.used(now);
            ASSERT_LE(after, before);
            before = after;
        }
        ASSERT_EQ(m.used(now + 50h), 0U);
    }
}

}  // namespace
}  // namespace spillway::quota
