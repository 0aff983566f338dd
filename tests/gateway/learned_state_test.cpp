// What one gateway tells the next.
#include "gateway/learned_state.hpp"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

using std::chrono::milliseconds;

TEST(LearnedState, CoolDownsAreTakenOver) {
    const std::vector<quota::PeerReport> reports{
        {.backend = "one",
         .deployment = "",
         .tokens = 5,
         .requests = 1,
         .cooling = milliseconds(1500),
         .reason = 2},
        {.backend = "two", .deployment = "gpt 4o\n\"x\"", .cooling = milliseconds(20), .reason = 7},
        {.backend = "three", .deployment = "idle", .tokens = 9}};
    const auto read = read_learned(write_learned(reports));
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read[0].backend, "one");
    EXPECT_EQ(read[0].deployment, "");
    EXPECT_EQ(read[0].cooling, milliseconds(1500));
    EXPECT_EQ(read[0].reason, 2);
    EXPECT_EQ(read[0].tokens, 0) << "sums are of a process";
    EXPECT_EQ(read[1].deployment, "gpt 4o\n\"x\"");
}

TEST(LearnedState, WhatIsNotKnownIsLeftOut) {
    EXPECT_TRUE(read_learned("").empty());
    EXPECT_TRUE(read_learned("cooling 10 1 6f 6").empty()) << "cut";
    for (const auto* line :
         {"heating 10 1 6f \n", "cooling x 1 6f \n", "cooling -5 1 6f \n", "cooling 10 999 6f \n",
          "cooling 10 1 zz \n", "cooling 99999999999 1 6f \n", "cooling\n", "\n"})
        EXPECT_TRUE(read_learned(line).empty()) << line;
    EXPECT_EQ(read_learned("more of a newer version\ncooling 10 1 6f \n").size(), 1U);
}

}  // namespace
}  // namespace spillway::gateway
