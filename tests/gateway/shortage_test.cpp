// A shortage is told once when it begins and once when it is over.
#include "gateway/shortage.hpp"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

using namespace std::chrono_literals;

TEST(ShortageTest, IsToldOnceEach) {
    Shortage shortage;
    const Mono start{Duration(1h)};
    EXPECT_EQ(shortage.change(start), std::nullopt);
    shortage.note(start);
    EXPECT_EQ(shortage.change(start), std::optional(true));
    EXPECT_EQ(shortage.change(start), std::nullopt) << "another thread has told it";
    shortage.note(start + 4s);
    EXPECT_EQ(shortage.change(start + 8s), std::nullopt);
    EXPECT_EQ(shortage.change(start + 9s), std::optional(false));
    EXPECT_EQ(shortage.change(start + 10s), std::nullopt);
    shortage.note(start + 1min);
    EXPECT_EQ(shortage.change(start + 1min), std::optional(true));
}

}  // namespace
}  // namespace spillway::gateway
