#include "base/json.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "base/written.hpp"

namespace spillway {
namespace {

std::string json(std::string_view s, std::size_t most = 1000) {
    return test::written([&](Pen& pen) { append_json_text(pen, s, most); });
}

#define BAD "\xEF\xBF\xBD"

TEST(Json, EscapesForJson) {
    EXPECT_EQ(json("say \"hi\" \\ /"), "say \\\"hi\\\" \\\\ /");
    EXPECT_EQ(json(std::string_view("\n\r\t\b\0\x1f\x7f", 7)), "\\n\\r\\t\\u0008\\u0000\\u001f\\u007f");
    EXPECT_EQ(json("\xED\x95\x9C\xff"), "\xED\x95\x9C" BAD);
}

TEST(Json, CutsLongTextBetweenCharacters) {
    EXPECT_EQ(json("abcdef", 6), "abcdef");
    EXPECT_EQ(json("abcdef", 5), "abcde\xE2\x80\xA6");
    EXPECT_EQ(json("ab\xED\x95\x9C", 4), "ab\xE2\x80\xA6");
    EXPECT_EQ(json("ab\xED\x95\x9C", 5), "ab\xED\x95\x9C");
    EXPECT_EQ(json("a\"b", 1), "a\xE2\x80\xA6");
    EXPECT_EQ(json("abc", 0), "\xE2\x80\xA6");
}

TEST(Json, AStringIsQuotedBehindWhatIsThere) {
    std::string out = "before:";
    append_json_string(out, "a\"\xff");
    EXPECT_EQ(out, "before:\"a\\\"" BAD "\"");
}

TEST(JsonWriter, PutsCommas) {
    JsonWriter w;
    w.open()
        .field("a", 1)
        .field("b", "x\ny")
        .key("c")
        .open_list()
        .number(1)
        .null()
        .open()
        .close()
        .close_list();
    w.field("d", true).field("e", std::string("f")).field("g", std::optional<int>()).close();
    EXPECT_EQ(w.take(), R"({"a":1,"b":"x\ny","c":[1,null,{}],"d":true,"e":"f","g":null})");
}

TEST(JsonWriter, WritesNumbers) {
    JsonWriter w;
    w.open_list().number(-3).number(0.5).number(1.0 / 3, 3).number(std::numeric_limits<double>::infinity());
    w.number(std::numeric_limits<std::uint64_t>::max()).number(12345678.9).number(0.1 + 0.2).close_list();
    EXPECT_EQ(w.take(), "[-3,0.5,0.333,null,18446744073709551615,12345678.9,0.3]");
}

TEST(JsonField, DescribesAnObject) {
    struct Point {
        int x;
        int y;
    };
    constexpr std::array<JsonField<Point>, 2> fields{{
        {"x", "number", "", [](JsonWriter& w, const Point& p) { w.value(p.x); }},
        {"y", "number", "", [](JsonWriter& w, const Point& p) { w.value(p.y); }},
    }};
    JsonWriter w;
    write_fields<Point>(w, {1, 2}, fields);
    EXPECT_EQ(w.view(), R"({"x":1,"y":2})");
}

}  // namespace
}  // namespace spillway
