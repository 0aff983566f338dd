// Each change of state is told once.
#include "telemetry/health.hpp"

#include <gtest/gtest.h>

namespace spillway::telemetry {
namespace {

TEST(Health, TellsEachChangeOnce) {
    Health health;
    EXPECT_FALSE(health.change());
    health.works();
    EXPECT_FALSE(health.change());
    health.fails("full");
    health.fails("still full");
    auto change = health.change();
    ASSERT_TRUE(change);
    EXPECT_FALSE(change->works);
    EXPECT_EQ(change->why, "full");
    EXPECT_FALSE(health.change());
    health.works();
    change = health.change();
    ASSERT_TRUE(change);
    EXPECT_TRUE(change->works);
    EXPECT_FALSE(health.change());
}

TEST(Health, WhatIsOverAtOnceIsNoChangeUnlessItHasToBeTold) {
    Health health;
    health.fails("locked");
    health.works();
    EXPECT_FALSE(health.change());
    health.fails("deleted");
    health.works_anew("begun anew");
    const auto change = health.change();
    ASSERT_TRUE(change);
    EXPECT_TRUE(change->works);
    EXPECT_EQ(change->why, "begun anew");
    EXPECT_FALSE(health.change());
}

}  // namespace
}  // namespace spillway::telemetry
