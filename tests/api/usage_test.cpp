#include "api/usage.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace spillway::api {
namespace {

TEST(ParseUsage, ChatAndEmbeddings) {
    EXPECT_EQ(parse_usage(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,
        "prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},
        "completion_tokens_details":{"reasoning_tokens":3,"accepted_prediction_tokens":0}})"),
              (Usage{10, 5, 15, 4, 3}));
    EXPECT_EQ(parse_usage(R"({"prompt_tokens":10,"total_tokens":10})"), (Usage{10, 0, 10, 0, 0}));
}

TEST(ParseUsage, Responses) {
    EXPECT_EQ(parse_usage(R"({"input_tokens":7,"input_tokens_details":{"cached_tokens":2},"output_tokens":3,
        "output_tokens_details":{"reasoning_tokens":1},"total_tokens":10})"),
              (Usage{7, 3, 10, 2, 1}));
}

TEST(ParseUsage, TheTotalIsMadeUpWhenItIsNotTold) {
    EXPECT_EQ(parse_usage(R"({"prompt_tokens":1,"completion_tokens":2})"), (Usage{1, 2, 3, 0, 0}));
    EXPECT_EQ(parse_usage(R"({"total_tokens":9})"), (Usage{0, 0, 9, 0, 0}));
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(parse_usage(R"({"prompt_tokens":18446744073709551615,"completion_tokens":2})"),
              (Usage{most, 2, most, 0, 0}));
}

TEST(ParseUsage, NullsAndNonsense) {
    EXPECT_EQ(parse_usage(R"({"prompt_tokens":3,"completion_tokens":null,"prompt_tokens_details":null,
        "completion_tokens_details":{"reasoning_tokens":null}})"),
              (Usage{3, 0, 3, 0, 0}));
    EXPECT_EQ(parse_usage(R"({"prompt_tokens":-3,"completion_tokens":4})"), (Usage{0, 4, 4, 0, 0}));
    for (const char* text : {"", "null", "[]", "5", "{}", R"({"type":"duration","seconds":3})",
                             R"({"prompt_tokens":"3"})", R"({"prompt_tokens":3)", R"({"prompt_tokens":3} x)"})
        EXPECT_EQ(parse_usage(text), std::nullopt) << text;
}

TEST(FindUsage, WhereServersWriteIt) {
    const Usage expected{10, 5, 15, 0, 0};
    const std::string usage = R"("usage": {"prompt_tokens":10,"completion_tokens":5,"total_tokens":15})";
    EXPECT_EQ(find_usage(R"({"id":"x","choices":[{"message":{"content":"hi"}}],)" + usage + "}"), expected);
    EXPECT_EQ(
        find_usage(R"({"id":"x",)" + usage + R"(,"service_tier":null,"system_fingerprint":"fp"})" + "\n"),
        expected);
    EXPECT_EQ(find_usage("{" + usage + "}"), expected);
    EXPECT_EQ(find_usage("{ " + usage + R"( , "metadata":{"a":[1,2]} } )"), expected);
    EXPECT_EQ(find_usage("{" + usage + R"(,"data":[)" + std::string(100'000, '1') + "]}"), expected)
        << "at the begin";
}

TEST(FindUsage, OnlyAtTheTopLevel) {
    const std::string inner = R"("usage":{"prompt_tokens":1})";
    EXPECT_EQ(find_usage(R"({"choices":[{)" + inner + "}]}"), std::nullopt);
    EXPECT_EQ(find_usage(R"({"response":{)" + inner + "}}"), std::nullopt);
    EXPECT_EQ(find_usage(R"([{)" + inner + "}]"), std::nullopt);
    EXPECT_EQ(find_usage(R"({"usage":{"prompt_tokens":2},"response":{)" + inner + "}}"),
              (Usage{2, 0, 2, 0, 0}));
}

TEST(FindUsage, TextThatOnlyLooksLikeItIsNot) {
    EXPECT_EQ(find_usage(R"({"content":",\"usage\":{\"prompt_tokens\":1}"})"), std::nullopt);
    EXPECT_EQ(find_usage(R"({"\"usage":{"prompt_tokens":1}})"), std::nullopt);
    EXPECT_EQ(find_usage(R"({"a":"usage","b":{"prompt_tokens":1}})"), std::nullopt);
    EXPECT_EQ(find_usage(R"({"usage":{"prompt_tokens":3},"a":"usage"})"), (Usage{3, 0, 3, 0, 0}));
    EXPECT_EQ(find_usage(R"({"usage":{"prompt_tokens":3},"a":["usage","usage","usage","usage","usage"]})"),
              (Usage{3, 0, 3, 0, 0}));
}

TEST(FindUsage, TheLastOfDuplicatesCounts) {
    EXPECT_EQ(find_usage(R"({"usage":{"prompt_tokens":3},"usage":{"prompt_tokens":4}})"),
              (Usage{4, 0, 4, 0, 0}));
    EXPECT_EQ(find_usage(R"({"usage":{"prompt_tokens":3},"usage":null})"), std::nullopt);
}

TEST(FindUsage, NoneToFind) {
    for (const char* body :
         {"", " ", "null", "[]", "{}", "\"usage\"", "\"usage\":{}", R"({"usage":null})", R"({"usage":{}})",
          R"({"usage":5})", R"({"usage":{"prompt_tokens":1})", R"({"usage":{"prompt_tokens":1}} x)",
          R"({"id":"x"})", "<html>", R"("usage":{"prompt_tokens":1}})"})
        EXPECT_EQ(find_usage(body), std::nullopt) << body;
}

}  // namespace
}  // namespace spillway::api
