#include "api/error.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace spillway::api {
namespace {

std::string as_json(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

TEST(JsonText, EscapesWhatHasToBe) {
    EXPECT_EQ(as_json(""), R"("")");
    EXPECT_EQ(as_json("plain"), R"("plain")");
    EXPECT_EQ(as_json("a\"b\\c/d"), R"("a\"b\\c/d")");
    EXPECT_EQ(as_json("\n\r\t\b\x01\x1f"), R"("\n\r\t\u0008\u0001\u001f")");
    EXPECT_EQ(as_json(std::string_view("\0x", 2)), R"("\u0000x")");
    EXPECT_EQ(as_json("\x7f"), "\"\\u007f\"");
}

TEST(JsonText, KeepsUtf8AndReplacesTheRest) {
    const std::string good = "\xc3\xa9\xe2\x82\xac\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
    EXPECT_EQ(as_json(good), '"' + good + '"');
    const std::string r = "\xef\xbf\xbd";
    EXPECT_EQ(as_json("a\xffz"), "\"a" + r + "z\"");
    EXPECT_EQ(as_json("\xc3"), '"' + r + '"');
    EXPECT_EQ(as_json("\xc3(\xa9"), '"' + r + "(" + r + '"');
    EXPECT_EQ(as_json("\xc0\x80"), '"' + r + r + '"');
    EXPECT_EQ(as_json("\xe0\x80\x80"), '"' + r + r + r + '"');
    EXPECT_EQ(as_json("\xed\xa0\x80"), '"' + r + r + r + '"');
    EXPECT_EQ(as_json("\xe2\x82"), '"' + r + r + '"');
    EXPECT_EQ(as_json("\xf0\x80\x80\x80"), '"' + r + r + r + r + '"');
    EXPECT_EQ(as_json("\xf4\x90\x80\x80"), '"' + r + r + r + r + '"');
    EXPECT_EQ(as_json("\xf0\x9f\x98"), '"' + r + r + r + '"');
}

TEST(ErrorJson, HasOpenAisShape) {
    EXPECT_EQ(
        error_json("No \"x\".", "invalid_request_error", "bad", "model"),
        R"({"error":{"message":"No \"x\".","type":"invalid_request_error","param":"model","code":"bad"}})");
    EXPECT_EQ(error_json("m", "t", ""), R"({"error":{"message":"m","type":"t","param":null,"code":null}})");
}

TEST(ErrorJson, IsReadBack) {
    const auto e = parse_error(error_json("m\n\xff", "t", "c", "p"));
    ASSERT_TRUE(e);
    EXPECT_EQ(e->message, "m\n\xef\xbf\xbd");
    EXPECT_EQ(e->type, "t");
    EXPECT_EQ(e->code, "c");
    EXPECT_EQ(e->param, "p");
    EXPECT_FALSE(e->content_filter);
}

TEST(ErrorJson, EndsStreams) {
    EXPECT_EQ(
        sse_error_chat("m", "server_error", "broken"),
        "data: "
        "{\"error\":{\"message\":\"m\",\"type\":\"server_error\",\"param\":null,\"code\":\"broken\"}}\n\n");
    EXPECT_EQ(
        sse_error_responses("m\n", "broken", 7),
        "event: error\ndata: {\"type\":\"error\",\"code\":\"broken\",\"message\":\"m\\n\",\"param\":null,"
        "\"sequence_number\":7}\n\n");
    EXPECT_EQ(sse_error_responses("m", "", 0),
              "event: error\ndata: {\"type\":\"error\",\"code\":null,\"message\":\"m\",\"param\":null,"
              "\"sequence_number\":0}\n\n");
}

TEST(ParseError, AzureWritesTheCodeAsAString) {
    const auto e = parse_error(
        R"({"error":{"code":"429","message":"Rate limit is exceeded. Try again in 2 seconds."}})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->code, "429");
    EXPECT_EQ(e->message, "Rate limit is exceeded. Try again in 2 seconds.");
    EXPECT_EQ(e->type, "");
}

TEST(ParseError, NumbersAndNulls) {
    const auto e = parse_error(R"({"error":{"code":503,"message":"m","type":null,"param":null}})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->code, "503");
    EXPECT_EQ(e->type, "");
    EXPECT_EQ(e->param, "");
}

TEST(ParseError, FrontEndsAndPlainMessages) {
    const auto front =
        parse_error(R"({ "statusCode": 401, "message": "Unauthorized. Access token is missing" })");
    ASSERT_TRUE(front);
    EXPECT_EQ(front->code, "401");
    EXPECT_EQ(front->message, "Unauthorized. Access token is missing");
    const auto plain = parse_error(R"({"error":"overloaded"})");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->message, "overloaded");
}

TEST(ParseError, ContentFilters) {
    const auto full = parse_error(
        R"({"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter",)"
        R"("status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":)"
        R"({"filtered":true,"severity":"high"},"jailbreak":{"filtered":false,"detected":false}}}}})");
    ASSERT_TRUE(full);
    EXPECT_TRUE(full->content_filter);
    EXPECT_EQ(full->param, "prompt");
    for (const char* body :
         {R"({"error":{"code":"content_filter","message":"m"}})",
          R"({"error":{"code":"BadRequest","innererror":{"code":"ResponsibleAIPolicyViolation"}}})",
          R"({"error":{"inner_error":{"code":"ResponsibleAIPolicyViolation"},"code":"400"}})",
          R"({"error":{"code":"content_policy_violation"}})"})
        EXPECT_TRUE(parse_error(body).value().content_filter) << body;
    for (const char* body : {R"({"error":{"code":"429","innererror":null}})",
                             R"({"error":{"code":"429","innererror":{"code":"Other"}}})",
                             R"({"error":{"code":"429","message":"content_filter"}})"})
        EXPECT_FALSE(parse_error(body).value().content_filter) << body;
}

TEST(ParseError, WhatIsNone) {
    for (const char* body :
         {"", "null", "[]", "<html>502 Bad Gateway</html>", R"({"choices":[]})",
          R"({"error":null,"id":"resp_1"})", R"({"error":{"message":"cut)", R"({"error":{"message":"m"}} x)",
          R"({"error":5})", R"({"error":[]})", R"({"message":"m"})", R"({"statusCode":401})",
          R"({"error":{"innererror":{"code":}}})"})
        EXPECT_FALSE(parse_error(body)) << body;
}

}  // namespace
}  // namespace spillway::api
