#include "gateway/thinking_times.hpp"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

using namespace std::chrono_literals;

TEST(ThinkingTimes, NothingIsKnownUntilEnoughWasSeen) {
    ThinkingTimes times(4);
    for (std::uint32_t i = 0; i + 1 < ThinkingTimes::enough; ++i) times.seen(1, 500, 500s);
    EXPECT_EQ(times.limit(1, 500, 600s), 600s);
    times.seen(1, 500, 500s);
    EXPECT_GT(times.limit(1, 500, 600s), 1000s) << "twice the usual";
    EXPECT_LE(times.limit(1, 500, 600s), 1500s);
}

TEST(ThinkingTimes, IsNeverLessThanConfiguredNorMoreThanThreeTimes) {
    ThinkingTimes times(4);
    for (int i = 0; i < 1000; ++i) times.seen(1, 500, 2s);
    EXPECT_EQ(times.limit(1, 500, 600s), 600s);
    EXPECT_EQ(times.limit(1, 500, 1s), 3s);
    for (int i = 0; i < 1000; ++i) times.seen(1, 500, 2h);
    EXPECT_EQ(times.limit(1, 500, 600s), 1800s);
}

TEST(ThinkingTimes, DeploymentsAndSizesLearnApart) {
    ThinkingTimes times(4);
    for (int i = 0; i < 100; ++i) times.seen(1, 100'000, 500s);
    EXPECT_GT(times.limit(1, 90'000, 600s), 600s);
    EXPECT_EQ(times.limit(1, 5000, 600s), 600s);
    EXPECT_EQ(times.limit(2, 90'000, 600s), 600s);
}

TEST(ThinkingTimes, OneInAHundredIsNotTheRule) {
    ThinkingTimes times(4);
    for (int i = 0; i < 1990; ++i) times.seen(1, 500, 10s);
    for (int i = 0; i < 10; ++i) times.seen(1, 500, 500s);
    EXPECT_EQ(times.limit(1, 500, 60s), 60s);
}

TEST(ThinkingTimes, ForgetsWhatIsLongAgo) {
    ThinkingTimes times(4);
    for (int i = 0; i < 1000; ++i) times.seen(1, 500, 500s);
    EXPECT_GT(times.limit(1, 500, 300s), 800s);
    for (int i = 0; i < 40'000; ++i) times.seen(1, 500, 2s);
    EXPECT_EQ(times.limit(1, 500, 300s), 300s);
}

TEST(ThinkingTimes, NumbersOutOfRangeShareTheFirst) {
    ThinkingTimes times(2);
    for (int i = 0; i < 100; ++i) times.seen(77, 500, 500s);
    EXPECT_GT(times.limit(0, 500, 300s), 300s);
}

}  // namespace
}  // namespace spillway::gateway
