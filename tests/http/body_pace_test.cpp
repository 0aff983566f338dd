// How long a body may take.
#include "http/body_pace.hpp"

#include <gtest/gtest.h>

namespace spillway::http {
namespace {

using namespace std::chrono_literals;
constexpr Mono began{Duration(1h)};

TEST(BodyPaceTest, WaitsForAPauseAtMost) {
    const BodyPace pace(30s, 5min, 0, began);
    EXPECT_EQ(pace.wait(0, began), Duration(30s));
    EXPECT_EQ(pace.wait(0, began + 100s), Duration(30s));
}

TEST(BodyPaceTest, EndsAtTheWholeTime) {
    const BodyPace pace(30s, 5min, 0, began);
    EXPECT_EQ(pace.wait(1'000'000, began + 290s), Duration(10s));
    EXPECT_EQ(pace.wait(1'000'000, began + 300s), Duration(1)) << "over: the timer still has to be armed";
    EXPECT_EQ(pace.wait(1'000'000, began + 400s), Duration(1));
    EXPECT_FALSE(pace.is_over(1'000'000, began + 299s));
    EXPECT_TRUE(pace.is_over(1'000'000, began + 300s));
}

TEST(BodyPaceTest, ARateIsAskedForInTheLongRun) {
    const BodyPace pace(30s, 0s, 1000, began);
    EXPECT_EQ(pace.wait(0, began + 10s), Duration(20s)) << "the first pause is grace";
    EXPECT_EQ(pace.wait(5000, began + 30s), Duration(5s));
    EXPECT_EQ(pace.wait(1'000'000, began + 30s), Duration(30s));
    EXPECT_EQ(pace.wait(5000, began + 35s), Duration(1));
    EXPECT_FALSE(pace.is_over(5000, began + 30s));
    EXPECT_TRUE(pace.is_over(5000, began + 35s));
}

TEST(BodyPaceTest, ZeroIsForEver) {
    EXPECT_EQ(BodyPace(0s, 0s, 1000, began).wait(0, began + 1h), Duration::zero());
    EXPECT_FALSE(BodyPace(0s, 0s, 1000, began).is_over(0, began + 1h));
    EXPECT_EQ(BodyPace(0s, 10s, 1000, began).wait(0, began + 3s), Duration(7s));
}

}  // namespace
}  // namespace spillway::http
