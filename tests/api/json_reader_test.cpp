#include "api/json_reader.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace spillway::api {
namespace {

TEST(JsonReader, PeeksAtAllKinds) {
    const auto kind = [](std::string_view text) { return JsonReader(text).peek(); };
    EXPECT_EQ(kind(" {"), JsonKind::object);
    EXPECT_EQ(kind("\n["), JsonKind::array);
    EXPECT_EQ(kind("\t\""), JsonKind::string);
    EXPECT_EQ(kind("\r-"), JsonKind::number);
    EXPECT_EQ(kind("7"), JsonKind::number);
    EXPECT_EQ(kind("t"), JsonKind::boolean);
    EXPECT_EQ(kind("f"), JsonKind::boolean);
    EXPECT_EQ(kind("n"), JsonKind::null);
    for (const char* text : {"", " ", "}", "x", "'", ","}) EXPECT_EQ(kind(text), JsonKind::none) << text;
}

TEST(JsonReader, WalksObjectsAndArrays) {
    JsonReader reader(R"( { "a" : [ 1 , "x" ] , "b" : { } , "c" : true , "d" : null } )");
    std::vector<std::string> seen;
    ASSERT_TRUE(reader.object([&](const JsonString& key) {
        seen.emplace_back(key.raw);
        if (key.raw == "a")
            return reader.array([&] {
                seen.emplace_back("item");
                return reader.skip();
            });
        if (key.raw != "c") return reader.skip();
        bool flag = false;
        return reader.boolean(flag) && flag;
    }));
    EXPECT_TRUE(reader.at_end());
    EXPECT_EQ(seen, (std::vector<std::string>{"a", "item", "item", "b", "c", "d"}));
}

TEST(JsonReader, TellsWhereItStands) {
    JsonReader reader(R"(  [12,"a"])");
    EXPECT_EQ(reader.peek(), JsonKind::array);
    EXPECT_EQ(reader.offset(), 2U);
    EXPECT_TRUE(reader.skip());
    EXPECT_EQ(reader.offset(), 10U);
    EXPECT_FALSE(reader.skip());
}

TEST(JsonReader, AMismatchFails) {
    JsonString s;
    std::string_view number;
    bool flag = false;
    EXPECT_FALSE(JsonReader("1").string(s));
    EXPECT_FALSE(JsonReader("\"1\"").number(number));
    EXPECT_FALSE(JsonReader("1").boolean(flag));
    EXPECT_FALSE(JsonReader("").boolean(flag));
    EXPECT_FALSE(JsonReader("[]").object([](const JsonString&) { return true; }));
    EXPECT_FALSE(JsonReader("{}").array([] { return true; }));
    EXPECT_FALSE(JsonReader("{\"a\":1}").object([](const JsonString&) { return false; }));
    EXPECT_FALSE(JsonReader("[1]").array([] { return false; }));
}

TEST(JsonReader, LongStringsInEveryPlace) {
    // The steps of 64 and 16 bytes and the rest behind them find the same.
    for (std::size_t length = 0; length < 180; ++length) {
        const std::string plain = '"' + std::string(length, 'x') + '"';
        JsonString s;
        JsonReader reader(plain);
        ASSERT_TRUE(reader.string(s));
        EXPECT_EQ(s.raw.size(), length);
        EXPECT_EQ(s.characters(), length);
        EXPECT_TRUE(reader.at_end());
        for (std::size_t at = 1; at <= length; ++at) {
            std::string broken = plain;
            broken[at] = '\n';
            EXPECT_FALSE(JsonReader(broken).string(s)) << at;
            std::string early = plain;
            early[at] = '"';
            ASSERT_TRUE(JsonReader(early).string(s));
            EXPECT_EQ(s.raw.size(), at - 1);
            std::string high = plain;
            high.replace(at, 1, "\xe2\x82\xac");
            JsonReader wide(high);
            ASSERT_TRUE(wide.string(s));
            EXPECT_FALSE(s.ascii || wide.ascii_bytes() || wide.all_ascii());
            EXPECT_EQ(s.characters(), length);
        }
        std::string accent = '"' + std::string(length, 'x') + "\xc3\xa9" + '"';
        ASSERT_TRUE(JsonReader(accent).string(s));
        EXPECT_FALSE(s.ascii);
        EXPECT_EQ(s.characters(), length + 1);
    }
}

TEST(JsonReader, SkipKnowsObjectsFromArraysAtEveryDepth) {
    for (std::size_t depth = 1; depth < 200; depth += 7) {
        std::string open;
        std::string close;
        for (std::size_t i = 0; i < depth; ++i) {
            open += i % 3 == 0 ? "[" : "{\"k\":";
            close.insert(close.begin(), i % 3 == 0 ? ']' : '}');
        }
        EXPECT_TRUE(JsonReader(open + "1" + close).skip());
        for (std::size_t i = 0; i < close.size(); ++i) {
            std::string wrong = close;
            wrong[i] = wrong[i] == ']' ? '}' : ']';
            const std::string text = open + "1" + wrong;
            EXPECT_FALSE(JsonReader(text).skip());
        }
    }
    JsonReader deepest(std::string_view{});
    const std::string limit =
        std::string(JsonReader::max_depth, '[') + std::string(JsonReader::max_depth, ']');
    JsonReader fits(limit);
    EXPECT_TRUE(fits.skip());
    const std::string beyond = '[' + limit + ']';
    JsonReader too_deep(beyond);
    EXPECT_FALSE(too_deep.skip());
    EXPECT_TRUE(too_deep.too_deep());
    EXPECT_FALSE(deepest.skip());
}

TEST(JsonReader, FinishesAnObject) {
    const auto finish = [](std::string_view rest) { return JsonReader(rest).finish_object(); };
    EXPECT_TRUE(finish("}"));
    EXPECT_TRUE(finish(" , \"a\":[{}] ,\"b\":1 } \n"));
    for (const char* rest : {"", ",", ",}", "}}", "},", ",\"a\"}", ",\"a\":}", ",\"a\":1", "]", "} x"})
        EXPECT_FALSE(finish(rest)) << rest;
}

TEST(JsonWhole, CutsAndSaturates) {
    EXPECT_EQ(json_whole("0"), 0U);
    EXPECT_EQ(json_whole("17"), 17U);
    EXPECT_EQ(json_whole("1.9e1"), 19U);
    EXPECT_EQ(json_whole("-1"), std::nullopt);
    EXPECT_EQ(json_whole("-0"), std::nullopt);
    EXPECT_EQ(json_whole(""), std::nullopt);
    EXPECT_EQ(json_whole("x"), std::nullopt);
    EXPECT_EQ(json_whole(std::string(400, '9')), UINT64_MAX);
    EXPECT_EQ(json_whole(std::string(400, '9') + ".5"), UINT64_MAX);
    EXPECT_EQ(json_whole("0." + std::string(400, '0') + "1"), 0U);
}

}  // namespace
}  // namespace spillway::api
