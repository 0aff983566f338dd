#include "base/pen.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace spillway {
namespace {

void write(std::string& out, std::size_t about) {
    Pen pen(out, about);
    pen.text("text");
    pen.text("");
    pen.byte(' ');
    pen.number(0U);
    pen.byte(' ');
    pen.number(std::numeric_limits<std::int64_t>::min());
    pen.byte(' ');
    pen.number(std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(pen.written(), 2U + 48U);
}

TEST(Pen, WritesTheSameWhateverTheGuess) {
    for (std::size_t about = 0; about < 120; ++about) {
        std::string out = "> ";
        write(out, about);
        ASSERT_EQ(out, "> text 0 -9223372036854775808 18446744073709551615") << about;
    }
}

TEST(Pen, GrowsAsOftenAsNeeded) {
    std::string out;
    std::string expected;
    {
        Pen pen(out, 1);
        for (int i = 0; i < 1000; ++i) {
            pen.number(i);
            pen.text(",");
            expected += std::to_string(i) + ",";
        }
    }
    EXPECT_EQ(out, expected);
}

TEST(Pen, ThatWroteNothingLeavesTheStringAsItWas) {
    std::string out = "kept";
    { const Pen pen(out, 100); }
    EXPECT_EQ(out, "kept");
}

}  // namespace
}  // namespace spillway
