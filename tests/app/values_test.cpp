#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/stack_values.hpp"

namespace spillway::app::stack {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Values, AreWrittenSoThatAShellTakesThemAsTheyAre) {
    std::string out;
    append_line(out, "A_KEY", "a\"b\\c$d`e f");
    EXPECT_EQ(out, "A_KEY=\"a\\\"b\\\\c\\$d\\`e f\"\n");
}

TEST(Values, ComeBackAsTheyWere) {
    const Values values{{"A", "plain"}, {"B", ""}, {"C", "a\"b\\c$d`e=f #g"}};
    EXPECT_EQ(parse_values(format_values(values)).value(), values);
}

TEST(Values, ReadWhatPeopleWriteByHand) {
    EXPECT_THAT(parse_values("# a comment\n\n  A=bare\r\nB=\"quoted\"\nA=again").value(),
                ElementsAre(Pair("A", "again"), Pair("B", "quoted")));
}

TEST(Values, AreRefusedWithTheLineButNotTheValue) {
    for (const char* bad : {"A=1\nno equals", "A=1\n=x", "A=1\n1A=secret", "A=1\nB=\"secret",
                            "A=1\nB=\"secret\" x", "A=1\nB=\"secret\\\""}) {
        const auto result = parse_values(bad);
        ASSERT_FALSE(result.has_value()) << bad;
        EXPECT_THAT(result.error().message, HasSubstr("line 2"));
        EXPECT_THAT(result.error().message, testing::Not(HasSubstr("secret")));
    }
}

TEST(Values, NamesAreThoseOfAShell) {
    EXPECT_TRUE(is_name("A_1"));
    EXPECT_TRUE(is_name("_a"));
    EXPECT_FALSE(is_name(""));
    EXPECT_FALSE(is_name("1A"));
    EXPECT_FALSE(is_name("A-B"));
    EXPECT_FALSE(is_name("A;rm"));
}

}  // namespace
}  // namespace spillway::app::stack
