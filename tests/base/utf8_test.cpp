#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace spillway {
namespace {

std::string utf8(std::string_view s) {
    std::string out;
    append_utf8(out, s);
    return out;
}

#define BAD "\xEF\xBF\xBD"

TEST(Utf8, KeepsWellFormedUtf8) {
    for (const std::string_view s : {"", "plain", "\xC3\xA9", "\xED\x95\x9C\xEA\xB8\x80", "\xF0\x9F\x98\x80",
                                     "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\xE0\xA0\x80", "\xF0\x90\x80\x80"})
        EXPECT_EQ(utf8(s), s);
}

TEST(Utf8, ReplacesIllFormedUtf8ByteByByte) {
    EXPECT_EQ(utf8("a\x80z"), "a" BAD "z");                // a lone continuation
    EXPECT_EQ(utf8("\xC0\xAF"), BAD BAD);                  // overlong '/'
    EXPECT_EQ(utf8("\xE0\x80\xAF"), BAD BAD BAD);          // overlong in three
    EXPECT_EQ(utf8("\xF0\x80\x80\xAF"), BAD BAD BAD BAD);  // overlong in four
    EXPECT_EQ(utf8("\xED\xA0\x80"), BAD BAD BAD);          // surrogate
    EXPECT_EQ(utf8("\xF4\x90\x80\x80"), BAD BAD BAD BAD);  // past U+10FFFF
    EXPECT_EQ(utf8("\xF5\xff\xfe"), BAD BAD BAD);          // never in UTF-8
    EXPECT_EQ(utf8("\xE2\x82"), BAD BAD);                  // cut short
    EXPECT_EQ(utf8("\xE2\x28\xA1"), BAD "(" BAD);          // second byte wrong
    EXPECT_EQ(utf8("\xF0\x9F\x98("), BAD BAD BAD "(");     // fourth byte wrong
}

TEST(Utf8, CountsAndCutsAtCharacters) {
    EXPECT_EQ(count_characters("가나다abc"), 6U);
    EXPECT_EQ(first_characters("가나다abc", 4), "가나다a");
    EXPECT_EQ(first_characters("가", 9), "가");
    EXPECT_EQ(first_characters("\xff\xff가", 2), "\xff\xff");
    EXPECT_TRUE(is_utf8("가나다 😀"));
    EXPECT_FALSE(is_utf8("\xC0\x80"));          // overlong
    EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // a surrogate
    EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
    EXPECT_FALSE(is_utf8("abc\xEA\xB0"));       // cut short
}

TEST(Utf8, WhatIsWrittenIsRead) {
    for (const char32_t c :
         {U'a', U'\u007f', U'\u0080', U'\u07ff', U'\u0800', U'\uffff', U'\U00010000', U'\U0010ffff'}) {
        std::string text;
        append_code_point(text, c);
        const CodePoint read = front_code_point(text);
        EXPECT_EQ(read.value, c);
        EXPECT_EQ(read.bytes, text.size());
    }
    EXPECT_EQ(front_code_point("\x80z").value, U'\uFFFD');
    EXPECT_EQ(front_code_point("\x80z").bytes, 1U);
}

}  // namespace
}  // namespace spillway
