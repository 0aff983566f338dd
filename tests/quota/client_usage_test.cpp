#include "quota/client_usage.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <thread>
#include <vector>

#include "base/rng.hpp"
#include "quota/client_time.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;
using test::at;

TEST(MinuteUsage, HoldsTheCapAndFreesAfterAMinute) {
    MinuteUsage usage;
    EXPECT_TRUE(usage.try_add(60, 100, at(0s)));
    EXPECT_TRUE(usage.try_add(40, 100, at(30s)));
    EXPECT_FALSE(usage.try_add(1, 100, at(59s)));
    EXPECT_EQ(usage.until_fits(1, 100, at(59s)), 2s);
    EXPECT_FALSE(usage.try_add(1, 100, at(60s)));  // the whole second has to be a minute old
    EXPECT_TRUE(usage.try_add(60, 100, at(61s)));
    EXPECT_EQ(usage.used(at(61s)), 100);
    EXPECT_EQ(usage.used(at(91s)), 60);
    EXPECT_EQ(usage.until_empty(at(91s)), 31s);
    EXPECT_EQ(usage.used(at(1h)), 0);
    EXPECT_EQ(usage.until_empty(at(1h)), 0s);
}

TEST(MinuteUsage, ForgetsExactlyWhatIsAMinuteOldHoweverLongItRested) {
    Rng rng(11);
    for (int round = 0; round < 200; ++round) {
        MinuteUsage usage;
        std::deque<std::pair<Duration, std::int64_t>> counted;
        Duration now{};
        const std::uint64_t longest = 1 + rng.below(90);
        for (int i = 0; i < 100; ++i) {
            now += std::chrono::seconds(rng.below(longest));
            while (!counted.empty() && counted.front().first + 61s <= now) counted.pop_front();
            std::int64_t sum = 0;
            for (const auto& [when, n] : counted) sum += n;
            ASSERT_EQ(usage.used(at(now)), sum) << longest;
            const auto n = static_cast<std::int64_t>(rng.below(3));
            usage.add(n, at(now));
            counted.emplace_back(now, n);
        }
        ASSERT_EQ(usage.used(at(now + 61s)), 0);
    }
}

TEST(MinuteUsage, WaitsForTheSecondThatFreesEnough) {
    MinuteUsage usage;
    for (int s = 0; s < 10; ++s) usage.add(10, at(s * 1s));
    EXPECT_EQ(usage.until_fits(0, 100, at(10s)), 0s);
    EXPECT_EQ(usage.until_fits(5, 100, at(10s)), 51s);
    EXPECT_EQ(usage.until_fits(25, 100, at(10s)), 53s);
    EXPECT_EQ(usage.until_fits(101, 100, at(10s)), 61s);
}

TEST(MinuteUsage, GivesBackOnlyWhatStillCounts) {
    MinuteUsage usage;
    usage.add(50, at(0s));
    usage.add(50, at(1s));
    usage.give_back(20, at(0s));
    EXPECT_EQ(usage.used(at(2s)), 80);
    usage.give_back(1000, at(0s));  // never below what was put in
    EXPECT_EQ(usage.used(at(2s)), 50);
    EXPECT_EQ(usage.used(at(62s)), 0);
    usage.give_back(50, at(1s));
    EXPECT_EQ(usage.used(at(62s)), 0);
    usage.add(7, at(64s));  // the slot of second 0, a round later
    usage.give_back(50, at(0s));
    EXPECT_EQ(usage.used(at(64s)), 7);
}

TEST(MinuteUsage, AThreadThatWasHeldUpCountsLaterNotNever) {
    MinuteUsage usage;
    usage.add(5, at(64s));
    usage.add(3, at(0s));  // same slot, an older clock reading
    EXPECT_EQ(usage.used(at(64s)), 8);
    EXPECT_EQ(usage.used(at(124s)), 8);
    EXPECT_EQ(usage.used(at(125s)), 0);
}

TEST(MinuteUsage, HugeAmountsSaturate) {
    MinuteUsage usage;
    usage.add(MinuteUsage::kMost, at(0s));
    usage.add(MinuteUsage::kMost, at(0s));
    EXPECT_EQ(usage.used(at(0s)), MinuteUsage::kMost);
    EXPECT_FALSE(usage.try_add(std::numeric_limits<std::int64_t>::max(), MinuteUsage::kMost, at(1s)));
    EXPECT_EQ(usage.used(at(61s)), 0);
}

/// Against a plain list of (time, amount): no span of 60 s holds more than the cap, the sum is never negative
/// and never below the list's, and without new amounts it only falls.
TEST(MinuteUsage, PropertyNeverOverTheCapNeverNegativeMonotoneRecovery) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Rng rng(seed);
        MinuteUsage usage;
        const std::int64_t cap = 1 + static_cast<std::int64_t>(rng.below(1000));
        std::deque<std::pair<Duration, std::int64_t>> admitted;
        Duration t{};
        for (int i = 0; i < 5000; ++i) {
            t += std::chrono::milliseconds(rng.below(rng.below(50) == 0 ? 90'000 : 800));
            const auto n = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(cap) / 4 + 2));
            const std::int64_t before = usage.used(at(t));
            if (usage.try_add(n, cap, at(t))) {
                admitted.emplace_back(t, n);
                ASSERT_EQ(usage.used(at(t)), before + n);
            } else {
                const Duration wait = usage.until_fits(n, cap, at(t));
                ASSERT_GT(wait, 0s);
                ASSERT_GE(cap - usage.used(at(t)), 0);
                if (n <= cap && rng.below(8) == 0) {
                    t += wait;
                    ASSERT_TRUE(usage.try_add(n, cap, at(t))) << "the wait it named was too short";
                    admitted.emplace_back(t, n);
                }
            }
            if (!admitted.empty() && rng.below(4) == 0) {
                auto& [then, held] = admitted[rng.below(admitted.size())];
                const auto back = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(held) + 1));
                usage.give_back(back, at(then));
                held -= back;
            }
            while (!admitted.empty() && admitted.front().first <= t - 60s) admitted.pop_front();
            std::int64_t sum = 0;
            for (const auto& [when, amount] : admitted) sum += amount;
            ASSERT_LE(sum, cap);
            ASSERT_GE(usage.used(at(t)), sum);
            ASSERT_LE(usage.used(at(t)), cap);
        }
        std::int64_t last = usage.used(at(t));
        for (Duration later{}; later <= 61s; later += 500ms) {
            const std::int64_t now = usage.used(at(t + later));
            ASSERT_LE(now, last);
            ASSERT_GE(now, 0);
            last = now;
        }
        EXPECT_EQ(last, 0);
    }
}

/// Threads add, give back and expire at once. The sum may never pass the cap at any reading.
template <class Usage>
void storm(Usage& usage, Duration step) {
    constexpr std::int64_t kCap = 1000;
    std::atomic<std::int64_t> clock{0};
    std::atomic<std::int64_t> worst{0};
    std::vector<std::thread> threads;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
        threads.emplace_back([&, seed] {
            Rng rng(seed);
            for (int i = 0; i < 20'000; ++i) {
                const Now now = at(step * clock.fetch_add(1) / 100);
                const auto n = static_cast<std::int64_t>(rng.below(50));
                if (usage.try_add(n, kCap, now)) usage.give_back(n - n / 3, now);
                const std::int64_t used = usage.used(now);
                if (used > worst.load()) worst.store(used);
                if (used < 0) worst.store(kCap * 2);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(worst.load(), kCap);
    EXPECT_GT(worst.load(), 0);
}

TEST(MinuteUsage, ThreadsTogetherNeverPassTheCap) {
    MinuteUsage usage;
    storm(usage, 100ms);
    EXPECT_EQ(usage.used(at(24h)), 0);
}

TEST(PeriodUsage, ThreadsTogetherNeverPassTheCap) {
    PeriodUsage::Sum sum{0};
    PeriodUsage usage(Period::hour, sum);
    storm(usage, 20s);
}

TEST(MomentUsage, ThreadsTogetherNeverPassTheCap) {
    MomentUsage usage;
    constexpr int kThreads = 4;
    std::atomic<int> inside{0};
    std::atomic<int> worst{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 10'000; ++i) {
                if (!usage.try_add(1, 2, at(0s))) continue;
                const int now = inside.fetch_add(1) + 1;
                if (now > worst.load()) worst.store(now);
                inside.fetch_sub(1);
                usage.give_back(1, at(0s));
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(worst.load(), 2);
    EXPECT_EQ(usage.used(at(0s)), 0);
}

TEST(PeriodUsage, EndsWithThePeriod) {
    PeriodUsage::Sum sum{0};
    PeriodUsage usage(Period::month, sum);  // 31 January, noon
    EXPECT_TRUE(usage.try_add(70, 100, at(0s)));
    EXPECT_FALSE(usage.try_add(31, 100, at(11h)));
    EXPECT_EQ(usage.until_empty(at(11h)), 1h);
    EXPECT_TRUE(usage.try_add(90, 100, at(12h)));
    EXPECT_EQ(usage.used(at(12h)), 90);
    usage.give_back(70, at(0s));  // January's is gone
    EXPECT_EQ(usage.used(at(12h)), 90);
    usage.give_back(1000, at(12h));
    EXPECT_EQ(usage.used(at(12h)), 0);
}

TEST(PeriodUsage, AClockReadBeforeTheBoundaryDoesNotWipeTheNewPeriod) {
    PeriodUsage::Sum sum{0};
    PeriodUsage usage(Period::hour, sum);
    usage.add(10, at(1h));
    usage.add(5, at(59min));
    EXPECT_EQ(usage.used(at(1h)), 15);
    EXPECT_EQ(usage.used(at(59min)), 15);
    EXPECT_EQ(usage.used(at(2h)), 0);
}

TEST(PeriodUsage, PropertyNeverOverTheCapNeverNegative) {
    for (const Period period : kPeriods) {
        Rng rng(static_cast<std::uint64_t>(period) + 1);
        PeriodUsage::Sum word{0};
        PeriodUsage usage(period, word);
        Duration t{};
        std::int64_t index = -1;
        std::int64_t sum = 0;
        for (int i = 0; i < 20'000; ++i) {
            t += std::chrono::minutes(rng.below(rng.below(100) == 0 ? 90'000 : 30));
            const Now now = at(t);
            if (const auto current = period_index(period, now.wall); current != index) {
                index = current;
                sum = 0;
            }
            ASSERT_EQ(usage.used(now), sum);
            const auto n = static_cast<std::int64_t>(rng.below(400));
            const bool fits = sum + n <= 1000;
            ASSERT_EQ(usage.try_add(n, 1000, now), fits);
            if (fits) sum += n;
            const auto back = static_cast<std::int64_t>(rng.below(300));
            usage.give_back(back, now);
            sum -= std::min(sum, back);
        }
    }
}

}  // namespace
}  // namespace spillway::quota
