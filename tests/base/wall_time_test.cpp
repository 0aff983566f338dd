#include "base/wall_time.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace spillway {
namespace {

TEST(WallAt, CountsFrom1970) {
    EXPECT_EQ(wall_at(0), Wall{});
    EXPECT_EQ(wall_at(-1), Wall(std::chrono::seconds(-1)));
    EXPECT_EQ(wall_at(1'764'500'000), Wall(std::chrono::seconds(1'764'500'000)));
}

TEST(WallAt, WhatIsTooFarIsFar) {
    constexpr std::int64_t end_of_9999 = 253'402'300'799;
    const Wall in_two_centuries(std::chrono::hours(24 * 365 * 200));
    EXPECT_GT(wall_at(end_of_9999), in_two_centuries);
    EXPECT_GT(wall_at(std::numeric_limits<std::int64_t>::max()), in_two_centuries);
    EXPECT_LT(wall_at(std::numeric_limits<std::int64_t>::min()), Wall{});
}

}  // namespace
}  // namespace spillway
