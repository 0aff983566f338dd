#include "base/bar.hpp"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(Bar, RoundsToTheNearestColumnAndStaysWithinItsWidth) {
    EXPECT_EQ(bar(0, 4), "░░░░");
    EXPECT_EQ(bar(0.12, 4), "░░░░");
    EXPECT_EQ(bar(0.13, 4), "█░░░");
    EXPECT_EQ(bar(1, 4), "████");
    EXPECT_EQ(bar(7, 2), "██");
    EXPECT_EQ(bar(-1, 2), "░░");
}

}  // namespace
}  // namespace spillway
