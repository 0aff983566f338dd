#include "base/hex.hpp"

#include <gtest/gtest.h>

#include "base/written.hpp"

namespace spillway {
namespace {

TEST(Hex, WritesAndReadsBytes) {
    constexpr std::array<unsigned char, 4> bytes{0x00, 0x7f, 0xa0, 0xff};
    EXPECT_EQ(to_hex(bytes), "007fa0ff");
    EXPECT_EQ(parse_hex<4>("007fA0fF"), bytes);
    EXPECT_FALSE(parse_hex<4>(""));
    EXPECT_FALSE(parse_hex<4>("007fa0f"));
    EXPECT_FALSE(parse_hex<4>("007fa0ff0"));
    for (const char c : {'g', 'G', '/', ':', '@', '`'}) EXPECT_FALSE(parse_hex<1>(std::string("0") + c)) << c;
}

TEST(Hex, WritesANumberHighestDigitFirst) {
    const auto hex = [](std::uint64_t n) { return test::written([n](Pen& pen) { append_hex(pen, n); }); };
    EXPECT_EQ(hex(0), "0000000000000000");
    EXPECT_EQ(hex(0x0123456789abcdefU), "0123456789abcdef");
}

TEST(Hex, DecodesEscapes) {
    EXPECT_EQ(percent_decoded("a%20b%2Fc"), "a b/c");
    EXPECT_EQ(percent_decoded("%41"), "A");
    EXPECT_FALSE(percent_decoded("%4"));
    EXPECT_FALSE(percent_decoded("%"));
    EXPECT_FALSE(percent_decoded("%zz"));
}

}  // namespace
}  // namespace spillway
