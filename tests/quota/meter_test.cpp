#include "quota/meter.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/rng.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;

constexpr Mono t0 = Mono(5000s);
/// Time is kept in ticks of 16 ms, and two of them are allowed for the way.
constexpr Duration tick = 50ms;

struct WindowMeter : Meter {
    explicit WindowMeter(std::uint64_t limit) : Meter(Model::window, 60s) { set_limit(limit, Basis::told); }
};

TEST(Meter, EverythingFitsWithoutALimit) {
    Meter m(Model::window, 60s);
    EXPECT_TRUE(m.room(1'000'000'000, t0).fits);
    EXPECT_EQ(m.room(5, t0).headroom, 1);
    EXPECT_TRUE(m.reserve(1'000'000, t0, false));
    EXPECT_EQ(m.used(t0), 1'000'000U);
    EXPECT_TRUE(m.reserve(1'000'000'000, t0, false));
}

TEST(Meter, ReservesUpToTheLimitAndNotBeyond) {
    WindowMeter m(1000);
    EXPECT_TRUE(m.reserve(600, t0, false));
    EXPECT_TRUE(m.reserve(400, t0, false));
    EXPECT_FALSE(m.reserve(1, t0, false));
    const Room full = m.room(1, t0 + 10s);
    EXPECT_FALSE(full.fits);
    EXPECT_EQ(full.headroom, 0);
    EXPECT_NEAR(to_seconds(full.wait), 50, 0.05);
    EXPECT_TRUE(full.unsure);             // nobody knows when the backend's minute began
    EXPECT_TRUE(m.reserve(1, t0, true));  // forced
    EXPECT_EQ(m.used(t0), 1001U);
}

TEST(Meter, MoreThanTheLimitFitsAnEmptyWindowOnly) {
    WindowMeter m(1000);
    EXPECT_TRUE(m.reserve(5000, t0, false));
    EXPECT_FALSE(m.room(5000, t0).fits);
}

TEST(Meter, BeginsANewWindowWhenTheOldOneHasEnded) {
    WindowMeter m(1000);
    ASSERT_TRUE(m.reserve(1000, t0, false));
    EXPECT_FALSE(m.room(10, t0 + 59s).fits);
    EXPECT_TRUE(m.room(1000, t0 + 60s + tick).fits);
    EXPECT_EQ(m.used(t0 + 60s + tick), 0U);
    EXPECT_TRUE(m.reserve(1000, t0 + 10min, false));
    EXPECT_TRUE(m.room(1000, t0 + 300h).fits);  // longer than its clock can tell apart
}

TEST(Meter, GivesBackWhatWasNotCharged) {
    WindowMeter m(1000);
    const auto a = m.reserve(700, t0, false);
    m.release(*a);
    EXPECT_EQ(m.used(t0), 0U);
    m.release(*a);  // a mistake of the caller: still not negative
    EXPECT_EQ(m.used(t0), 0U);
}

TEST(Meter, GivesNothingBackIntoALaterWindow) {
    WindowMeter m(1000);
    const auto a = m.reserve(700, t0, false);
    ASSERT_TRUE(m.reserve(300, t0 + 70s, false));
    m.release(*a);
    EXPECT_EQ(m.used(t0 + 70s), 300U);
}

TEST(Meter, IsCorrectedByWhatTheBackendTells) {
    WindowMeter m(1000);
    const auto a = m.reserve(100, t0, false);
    const auto b = m.reserve(100, t0 + 100ms, false);
    m.observe(*a, t0, 150);  // the first was charged 150
    EXPECT_EQ(m.used(t0 + 200ms), 250U);
    m.observe(*b, t0 + 100ms, 300);
    EXPECT_EQ(m.used(t0 + 200ms), 300U);
}

TEST(Meter, IsCorrectedRightInAnyOrder) {
    WindowMeter m(10'000);
    std::vector<Claim> claims;
    for (int i = 0; i < 10; ++i) claims.push_back(*m.reserve(100, t0 + i * 100ms, false));
    // Each was charged 130; heads come backwards.
    for (int i = 9; i >= 0; --i)
        m.observe(claims[static_cast<std::size_t>(i)], t0 + i * 100ms, 130U * static_cast<unsigned>(i + 1));
    EXPECT_EQ(m.used(t0 + 1s), 1300U);
}

TEST(Meter, MeasuresWhatOneRequestWasCharged) {
    WindowMeter m(10'000);
    const auto a = m.reserve(100, t0, false);
    const auto b = m.reserve(200, t0 + 100ms, false);
    const auto c = m.reserve(300, t0 + 200ms, false);
    EXPECT_FALSE(m.observe(*a, t0, 110));
    EXPECT_EQ(m.observe(*b, t0 + 100ms, 360), 250U);
    EXPECT_EQ(m.observe(*c, t0 + 200ms, 660), 300U);
}

TEST(Meter, MeasuresNothingWhereOneMayHaveOvertakenTheOther) {
    WindowMeter m(10'000);
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
    WindowMeter m(30'000);
    std::vector<Claim> claims;
    for (int i = 0; i < 30; ++i) claims.push_back(*m.reserve(100, t0 + i * 1ms, false));
    for (std::size_t k = 0; k < claims.size(); ++k) {
        const std::size_t i = (first + k) % claims.size();
        m.observe(claims[i], t0 + i * 1ms, charge * (30 - i));
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
    WindowMeter m(30'000);
    const auto a = m.reserve(100, t0, false);
    const auto b = m.reserve(100, t0, false);
    const auto alone = m.reserve(100, t0 + 1s, false);
    m.observe(*a, t0, 140);
    m.observe(*b, t0, 70);
    m.observe(*alone, t0 + 1s, 210);
    EXPECT_EQ(m.used(t0 + 1s), 210U);
}

TEST(Meter, TellsHowMuchOfTheWindowIsSurelyLeft) {
    WindowMeter m(1000);
    ASSERT_TRUE(m.reserve(10, t0, false));
    EXPECT_EQ(m.room(1, t0 + 1s).left, 0);  // it may end at any time
    m.resets(t0, 40s);                      // within (39, 40]
    EXPECT_NEAR(m.room(1, t0).left, 39.0 / 60, 0.002);
    EXPECT_NEAR(m.room(1, t0 + 20s).left, 19.0 / 60, 0.002);
    EXPECT_EQ(m.room(1, t0 + 39'500ms).left, 0);
}

TEST(Meter, LearnsThePhaseFromACountThatFell) {
    WindowMeter m(1000);
    EXPECT_EQ(m.phase_gap(), m.length());
    const auto a = m.reserve(500, t0, false);
    m.observe(*a, t0, 900);  // others have used it as well
    EXPECT_FALSE(m.room(200, t0 + 20s).fits);
    const auto b = m.reserve(50, t0 + 20s, false);
    m.observe(*b, t0 + 20s, 50);  // so there was a reset in between
    EXPECT_EQ(m.used(t0 + 20s), 50U);
    EXPECT_TRUE(m.room(900, t0 + 20s).fits);
    EXPECT_NEAR(to_seconds(m.phase_gap()), 20, 0.1);
    // The new window ends within (60, 80]: full until 80, unsure from 60 on.
    ASSERT_TRUE(m.reserve(950, t0 + 21s, false));
    EXPECT_FALSE(m.room(10, t0 + 59s).unsure);
    EXPECT_TRUE(m.room(10, t0 + 61s).unsure);
    EXPECT_NEAR(to_seconds(m.room(10, t0 + 61s).wait), 19, 0.1);
    EXPECT_TRUE(m.room(10, t0 + 80s + tick).fits);
}

TEST(Meter, NarrowsThePhaseWithEveryReset) {
    WindowMeter m(10'000);
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
    EXPECT_FALSE(m.room(100, end - 1700ms).fits);
    EXPECT_TRUE(m.room(100, end + 1700ms).fits);
}

TEST(Meter, WhatIsSentWhileTheEndIsNotSureCountsInTheNextWindowToo) {
    WindowMeter m(1000);
    ASSERT_TRUE(m.reserve(10, t0, false));
    m.resets(t0, 10s);  // within (9, 10]
    ASSERT_TRUE(m.reserve(400, t0 + 9500ms, false));
    EXPECT_EQ(m.used(t0 + 10s + tick), 400U);
    ASSERT_TRUE(m.reserve(1, t0 + 11s, false));
    EXPECT_EQ(m.used(t0 + 70s + tick), 0U);
}

TEST(Meter, ARefusalFillsItAndTellsThePhase) {
    WindowMeter m(1000);
    const auto a = m.reserve(300, t0, false);
    m.refused(*a, t0, 7s, std::nullopt);
    EXPECT_FALSE(m.room(300, t0 + 1s).fits);
    EXPECT_TRUE(m.room(299, t0 + 1s).fits);  // less may still fit
    EXPECT_NEAR(to_seconds(m.room(300, t0 + 1s).wait), 6, 0.05);
    EXPECT_FALSE(m.room(300, t0 + 5s).unsure);
    EXPECT_TRUE(m.room(1000, t0 + 7s + tick).fits);
    // and the minute after
    ASSERT_TRUE(m.reserve(1000, t0 + 8s, false));
    EXPECT_NEAR(to_seconds(m.room(300, t0 + 8s).wait), 59, 0.05);
}

TEST(Meter, ARefusalThatTellsTheCountIsBelieved) {
    WindowMeter m(1000);
    ASSERT_TRUE(m.reserve(100, t0, false));
    const auto a = m.reserve(300, t0 + 1s, false);
    m.refused(*a, t0 + 1s, 7s, 850);
    EXPECT_EQ(m.used(t0 + 1s), 850U);
    // An absurd wait says nothing of the phase.
    const auto b = m.reserve(100, t0 + 2s, false);
    m.refused(*b, t0 + 2s, 86'400s, 950);
    EXPECT_NEAR(to_seconds(m.room(100, t0 + 2s).wait), 6, 0.05);
}

TEST(Meter, HeadsOfAnEarlierWindowChangeNothing) {
    WindowMeter m(1000);
    const auto late = m.reserve(500, t0, false);
    m.resets(t0, 5s);
    ASSERT_TRUE(m.reserve(10, t0 + 6s, false));
    m.observe(*late, t0, 999);
    EXPECT_EQ(m.used(t0 + 6s), 10U);
}

TEST(Meter, AToldLimitBeatsAGuessedOne) {
    Meter m(Model::window, 60s);
    m.set_limit(100, Basis::guessed);
    ASSERT_TRUE(m.reserve(100, t0, false));
    EXPECT_TRUE(m.room(1, t0).unsure);
    m.set_limit(1000, Basis::told);
    m.set_limit(50, Basis::guessed);
    EXPECT_EQ(m.limit(), 1000U);
    EXPECT_TRUE(m.room(800, t0).fits);
}

TEST(Meter, AChangedLengthBeginsAnew) {
    WindowMeter m(10);
    ASSERT_TRUE(m.reserve(10, t0, false));
    m.set_length(1s);
    EXPECT_TRUE(m.room(10, t0).fits);
    ASSERT_TRUE(m.reserve(10, t0, false));
    EXPECT_LE(m.room(1, t0).wait, 1100ms);
}

TEST(Meter, AStrictBucketDrainsAllTheTime) {
    Meter m(Model::strict_bucket, 60s);
    m.set_limit(600, Basis::told);  // 10 a second
    ASSERT_TRUE(m.reserve(600, t0, false));
    const Room r = m.room(50, t0);
    EXPECT_FALSE(r.fits);
    EXPECT_FALSE(r.unsure);
    EXPECT_NEAR(to_seconds(r.wait), 5, 0.1);
    EXPECT_TRUE(m.room(50, t0 + 5100ms).fits);
    EXPECT_FALSE(m.room(60, t0 + 5100ms).fits);
    EXPECT_EQ(m.used(t0 + 61s), 0U);
    // Slow drains are not lost, however often one looks.
    Meter slow(Model::strict_bucket, 60s);
    slow.set_limit(60, Basis::told);
    ASSERT_TRUE(slow.reserve(60, t0, false));
    int got = 0;
    for (Mono now = t0; now < t0 + 30s; now += 20ms) got += slow.reserve(1, now, false) ? 1 : 0;
    EXPECT_NEAR(got, 30, 1);
}

TEST(Meter, ALenientBucketRefusesAboveItsCapacityOnly) {
    Meter m(Model::lenient_bucket, 60s);
    m.set_limit(600, Basis::told);
    EXPECT_TRUE(m.reserve(500, t0, false));
    EXPECT_TRUE(m.reserve(500, t0, false));  // below 100 %: let in
    EXPECT_FALSE(m.reserve(1, t0, false));
    EXPECT_NEAR(to_seconds(m.room(1, t0).wait), 40, 0.1);
    EXPECT_TRUE(m.room(1, t0 + 40200ms).fits);
    const auto c = m.reserve(1, t0 + 41s, false);
    m.refused(*c, t0 + 41s, 3s, std::nullopt);
    EXPECT_NEAR(to_seconds(m.room(1, t0 + 41s).wait), 3, 0.1);
}

TEST(MeterProperty, RecoveryIsMonotone) {
    Rng rng(11);
    for (int round = 0; round < 200; ++round) {
        const auto model = static_cast<Model>(round % 3);
        Meter m(model, 60s);
        m.set_limit(1 + rng.below(5000), Basis::told);
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

TEST(MeterProperty, ThreadsNeverReserveMoreThanTheLimit) {
    for (int round = 0; round < 20; ++round) {
        WindowMeter m(10'000);
        std::vector<std::uint64_t> held(4);
        std::vector<std::thread> threads;
        for (std::size_t n = 0; n < held.size(); ++n)
            threads.emplace_back([&, n] {
                Rng rng(n + 1);
                for (int i = 0; i < 3000; ++i) {
                    const auto c = m.reserve(1 + rng.below(50), t0, false);
                    if (!c) continue;
                    if (rng.below(2) == 0)
                        m.release(*c);
                    else
                        held[n] += c->amount;
                }
            });
        for (auto& t : threads) t.join();
        std::uint64_t sum = 0;
        for (const auto h : held) sum += h;
        ASSERT_LE(sum, 10'000U);
        ASSERT_EQ(m.used(t0), sum);
    }
}

TEST(MeterProperty, ThreadsThatObserveKeepItWithinWhatTheBackendTold) {
    WindowMeter m(1'000'000);
    std::vector<std::thread> threads;
    for (std::size_t n = 0; n < 4; ++n)
        threads.emplace_back([&, n] {
            Rng rng(n + 1);
            for (int i = 0; i < 2000; ++i) {
                const Mono now = t0 + i * 20ms;  // over most of a minute
                const auto c = m.reserve(1 + rng.below(100), now, false);
                if (c) m.observe(*c, now, rng.below(2000));
                (void)m.room(10, now);
            }
        });
    for (auto& t : threads) t.join();
    // One last word, with nobody else about, is the truth.
    const Mono end = t0 + 50s;
    const auto c = m.reserve(10, end, true);
    m.observe(*c, end, 5000);
    EXPECT_EQ(m.used(end), 5000U);
}

}  // namespace
}  // namespace spillway::quota
