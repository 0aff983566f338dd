#include "gateway/plain_machine.hpp"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

TEST(PlainMachine, AWholeAnswerInOnePieceIsNotCopied) {
    PlainMachine m(5, 100);
    const std::string_view piece = "hello";
    EXPECT_EQ(m.feed(piece), PlainAction::whole);
    EXPECT_EQ(m.whole().data(), piece.data());
    EXPECT_FALSE(m.passing());
}

TEST(PlainMachine, IsHeldUntilItIsWhole) {
    for (const auto length : {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(11)}) {
        PlainMachine m(length, 100);
        EXPECT_EQ(m.feed("hello "), PlainAction::hold);
        EXPECT_EQ(m.feed("world"), PlainAction::hold);
        EXPECT_EQ(m.feed(""), PlainAction::whole);
        EXPECT_EQ(m.whole(), "hello world");
    }
    PlainMachine nothing({}, 100);
    EXPECT_EQ(nothing.feed(""), PlainAction::whole);
    EXPECT_EQ(nothing.whole(), "");
}

TEST(PlainMachine, SaysWhatItWouldHold) {
    PlainMachine whole(5, 100);
    EXPECT_EQ(whole.would_hold("hello"), 0U) << "all there is";
    EXPECT_EQ(whole.would_hold("hell"), 5U) << "what the head says comes";
    PlainMachine grows({}, 100);
    EXPECT_EQ(grows.would_hold("hello"), 5U);
    EXPECT_EQ(grows.feed("hello"), PlainAction::hold);
    EXPECT_EQ(grows.would_hold(" world"), 11U);
    EXPECT_EQ(grows.would_hold(""), 0U);
}

TEST(PlainMachine, PassesWhatThereIsNoMemoryFor) {
    PlainMachine m(11, 100);
    m.hold_no_more();
    EXPECT_EQ(m.feed("hello "), PlainAction::pass);
    EXPECT_EQ(m.pass(), "hello ");
    EXPECT_EQ(m.would_hold("world"), 0U);
    EXPECT_EQ(m.feed("world"), PlainAction::pass);
    EXPECT_EQ(m.feed(""), PlainAction::end);
}

TEST(PlainMachine, PassesWhatGrowsBeyondTheLimit) {
    PlainMachine m({}, 8);
    EXPECT_EQ(m.feed("hello "), PlainAction::hold);
    EXPECT_EQ(m.feed("world"), PlainAction::pass);
    EXPECT_EQ(m.pass(), "hello world") << "what was held goes first";
    EXPECT_TRUE(m.passing());
    EXPECT_EQ(m.feed(", again"), PlainAction::pass);
    EXPECT_EQ(m.pass(), ", again");
    EXPECT_EQ(m.feed(""), PlainAction::end);
    EXPECT_EQ(m.tail(), "hello world, again");
}

TEST(PlainMachine, PassesAtOnceWhatSaysItIsTooLong) {
    PlainMachine m(9, 8);
    EXPECT_TRUE(m.passing());
    EXPECT_EQ(m.feed("123456789"), PlainAction::pass);
}

TEST(PlainMachine, KeepsTheTailForTheUsage) {
    PlainMachine m({}, 0);
    for (int i = 0; i < 100; ++i) (void)m.feed(std::string(1000, 'x'));
    (void)m.feed(R"("usage":{}})");
    EXPECT_LE(m.tail().size(), 9000U);
    EXPECT_TRUE(m.tail().ends_with(R"("usage":{}})"));
}

}  // namespace
}  // namespace spillway::gateway
