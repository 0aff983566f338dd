#include "telemetry/text.hpp"

#include <gtest/gtest.h>

#include "base/written.hpp"

namespace spillway::telemetry {
namespace {

using namespace std::chrono_literals;
using test::written;

std::string utf8(std::string_view s) {
    std::string out;
    append_utf8(out, s);
    return out;
}

std::string json(std::string_view s, std::size_t most = 1000) {
    return written([&](Pen& pen) { append_json_text(pen, s, most); });
}

std::string target(std::string_view s, std::size_t most = 1000) {
    return written([&](Pen& pen) { append_json_target(pen, s, most); });
}

#define BAD "\xEF\xBF\xBD"

TEST(Text, KeepsWellFormedUtf8) {
    for (const std::string_view s : {"", "plain", "\xC3\xA9", "\xED\x95\x9C\xEA\xB8\x80", "\xF0\x9F\x98\x80",
                                     "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\xE0\xA0\x80", "\xF0\x90\x80\x80"})
        EXPECT_EQ(utf8(s), s);
}

TEST(Text, ReplacesIllFormedUtf8ByteByByte) {
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

TEST(Text, EscapesForJson) {
    EXPECT_EQ(json("say \"hi\" \\ /"), "say \\\"hi\\\" \\\\ /");
    EXPECT_EQ(json(std::string_view("\n\r\t\b\0\x1f\x7f", 7)), "\\n\\r\\t\\u0008\\u0000\\u001f\\u007f");
    EXPECT_EQ(json("\xED\x95\x9C\xff"), "\xED\x95\x9C" BAD);
}

TEST(Text, CutsLongTextBetweenCharacters) {
    EXPECT_EQ(json("abcdef", 6), "abcdef");
    EXPECT_EQ(json("abcdef", 5), "abcde\xE2\x80\xA6");
    EXPECT_EQ(json("ab\xED\x95\x9C", 4), "ab\xE2\x80\xA6");
    EXPECT_EQ(json("ab\xED\x95\x9C", 5), "ab\xED\x95\x9C");
    EXPECT_EQ(json("a\"b", 1), "a\xE2\x80\xA6");
    EXPECT_EQ(json("abc", 0), "\xE2\x80\xA6");
}

TEST(Text, MasksQueryValues) {
    EXPECT_EQ(target("/openai/deployments/d/chat/completions?api-version=2024-06-01"),
              "/openai/deployments/d/chat/completions?api-version=2024-06-01");
    EXPECT_EQ(target("/v1/x?subscription-key=SECRET&deployment=d&api-version=1&sig=a%3Db=c"),
              "/v1/x?subscription-key=***&deployment=d&api-version=1&sig=***");
    EXPECT_EQ(target("/v1/x?SECRET"), "/v1/x?***");
    EXPECT_EQ(target("/v1/x?a=1&SECRET&&b"), "/v1/x?a=***&***&***&***");
    EXPECT_EQ(target("/v1/x?"), "/v1/x");
    EXPECT_EQ(target("/a\"b?c\"=1"), "/a\\\"b?c\\\"=***");
}

TEST(Text, LeavesOutSchemeAndAuthority) {
    EXPECT_EQ(target("http://user:SECRET@host/v1/x?a=SECRET"), "/v1/x?a=***");
    EXPECT_EQ(target("HTTPS://host?a=1"), "?a=***");
    EXPECT_EQ(target("https://host"), "/");
    EXPECT_EQ(target("*"), "*");
}

TEST(Text, BoundsTheQuery) {
    std::string query = "/?";
    for (int i = 0; i < 1000; ++i) query += "x=1&";
    const std::string text = target(query, 100);
    EXPECT_LT(text.size(), 120U);
    EXPECT_TRUE(text.ends_with("\xE2\x80\xA6"));
}

TEST(Text, PrintsMilliseconds) {
    const auto ms = [](Duration d) { return written([d](Pen& pen) { append_milliseconds(pen, d); }); };
    EXPECT_EQ(ms(0ns), "0.000");
    EXPECT_EQ(ms(1'234'567ns), "1.234");
    EXPECT_EQ(ms(65s + 7us), "65000.007");
    EXPECT_EQ(ms(-5ms), "0.000");
}

TEST(Text, PrintsRfc3339) {
    Rfc3339 stamp;
    const auto print = [&](Wall t) {
        std::string out;
        stamp.append(out, t);
        return out;
    };
    const Wall day = std::chrono::sys_days(std::chrono::year(2024) / 2 / 29);
    EXPECT_EQ(print(day), "2024-02-29T00:00:00.000Z");
    EXPECT_EQ(print(day + 23h + 59min + 59s + 999'999us), "2024-02-29T23:59:59.999Z");
    EXPECT_EQ(print(day + 23h + 59min + 59s + 7ms), "2024-02-29T23:59:59.007Z");
    EXPECT_EQ(print(day + 24h), "2024-03-01T00:00:00.000Z");
    EXPECT_EQ(print(Wall(-1ms)), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace spillway::telemetry
