// The emulated model without sockets: tokens, answers, embeddings, and what is read from a request.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>

#include "emulator/answer.hpp"
#include "emulator/embedding.hpp"
#include "emulator/request.hpp"
#include "emulator/tokens.hpp"

namespace spillway::emulator {
namespace {

std::string joined(const std::vector<std::string_view>& parts) {
    std::string out;
    for (const auto p : parts) out += p;
    return out;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

TEST(Tokens, JoinToTheTextAndAgreeWithTheCount) {
    for (const std::string text :
         {"", " ", "  a", "hello world", "Hello, 세계! 안녕하세요", "\xff\xea\xb0", "a \n b"}) {
        const auto tokens = split_tokens(text);
        EXPECT_EQ(joined(tokens), text);
        EXPECT_EQ(tokens.size(), count_tokens(text));
    }
}

TEST(Tokens, AreFourLettersOrOneSyllable) {
    EXPECT_EQ(split_tokens("elephants run"), (std::vector<std::string_view>{"elep", "hant", "s", " run"}));
    EXPECT_EQ(split_tokens("강물"), (std::vector<std::string_view>{"강", "물"}));
}

TEST(Answers, GreetAndReckonAndStayTheSame) {
    EXPECT_NE(answer("Say hello.", 0).text.find("Hello"), std::string::npos);
    EXPECT_EQ(answer("What is 17 * 3?", 0).text, "17 * 3 = 51.");
    EXPECT_EQ(answer("Tell me about rivers.", 0).text, answer("Tell me about rivers.", 0).text);
    EXPECT_NE(answer("Tell me about rivers.", 0).text.find("rivers"), std::string::npos);
    EXPECT_FALSE(answer("", 0).text.empty());
    EXPECT_EQ(answer("1 / 0", 0).text.find("inf"), std::string::npos);
}

TEST(Answers, AreKoreanForKorean) {
    EXPECT_TRUE(has_hangul(answer("안녕하세요", 0).text));
    EXPECT_TRUE(has_hangul(answer("강에 대해 알려 주세요", 0).text));
    EXPECT_FALSE(has_hangul("日本語, Ελλάδα"));
}

TEST(Answers, EndAtMaxTokens) {
    const Answer two = answer("Say hello.", 2);
    EXPECT_TRUE(two.cut);
    EXPECT_EQ(two.tokens, 2U);
    EXPECT_EQ(count_tokens(two.text), 2U);
    EXPECT_FALSE(answer("Say hello.", 1000).cut);
}

TEST(Answers, GiveExactlyTheTokensAMarkAsksFor) {
    const Answer exact = answer("Tell me about a river [[tokens:333]]", 0);
    EXPECT_EQ(exact.tokens, 333U);
    EXPECT_FALSE(exact.cut);
    EXPECT_TRUE(answer("river [[tokens:333]]", 10).cut);
    EXPECT_LT(answer("Say hello [[tokens:x]]", 0).tokens, 50U);
}

TEST(Embeddings, AreUnitVectorsNearForSharedWords) {
    const auto river = embed("a river in spring", 256);
    EXPECT_NEAR(dot(river, river), 1.0, 1e-5);
    EXPECT_EQ(river, embed("A river, in SPRING!", 256));
    EXPECT_GT(dot(river, embed("a river in autumn", 256)), dot(river, embed("tax law of 1913", 256)));
    EXPECT_NEAR(dot(embed("", 8), embed("", 8)), 1.0, 1e-6);
    EXPECT_EQ(to_base64({1.0F}), "AACAPw==");
}

TEST(Request, CountsThePromptAndReadsTheLimits) {
    const auto r = read_request(Operation::chat, R"({"model":"gpt-4o","stream":true,"max_completion_tokens":7,
        "stream_options":{"include_usage":true},"stop":["x"],
        "messages":[{"role":"system","content":"be"},{"role":"user","content":[{"type":"text","text":"hello you"}]}]})");
    ASSERT_TRUE(r.has_value());
    EXPECT_EQ(r->question, "hello you");
    EXPECT_EQ(r->max_tokens, 7U);
    EXPECT_TRUE(r->stream && r->include_usage);
    EXPECT_EQ(r->stop, std::vector<std::string>{"x"});
    EXPECT_EQ(r->prompt_tokens, 1U + 3U + 2U * 3U + 3U);  // be; hell o you; around each message; to prime
}

constexpr std::string_view weather =
    R"("tools":[{"type":"function","function":{"name":"get_weather","parameters":
    {"type":"object","properties":{"city":{"type":"string"},"unit":{"enum":["C","F"]}},"required":["city"]}}}])";

Result<ModelRequest> with_tool(std::string_view messages, std::string_view more) {
    return read_request(
        Operation::chat,
        std::string(R"({"messages":[)").append(messages).append("],").append(weather).append(more) + "}");
}

TEST(Request, CallsAToolWhenAskedOrRequired) {
    const auto asked = with_tool(R"({"role":"user","content":"What is the weather in Seoul?"})", "");
    ASSERT_TRUE(asked.has_value() && asked->tool_call);
    EXPECT_EQ(asked->tool_call->name, "get_weather");
    EXPECT_EQ(asked->tool_call->arguments, R"({"city":"Seoul"})");
    const std::string_view hello = R"({"role":"user","content":"Hello"})";
    EXPECT_FALSE(with_tool(hello, "")->tool_call);
    EXPECT_TRUE(with_tool(hello, R"(,"tool_choice":"required")")->tool_call);
    EXPECT_TRUE(with_tool(hello, R"(,"tool_choice":{"type":"function","function":{"name":"get_weather"}})")
                    ->tool_call);
    EXPECT_FALSE(with_tool(R"({"role":"user","content":"weather"})", R"(,"tool_choice":"none")")->tool_call);
}

TEST(Request, AnswersFromAToolsResult) {
    const auto r = with_tool(
        R"({"role":"user","content":"weather?"},{"role":"tool","tool_call_id":"c","content":"clear"})", "");
    ASSERT_TRUE(r.has_value());
    EXPECT_FALSE(r->tool_call);
    EXPECT_TRUE(r->after_tool);
    EXPECT_EQ(r->tool_result, "clear");
}

TEST(Request, RefusesWhatItCannotRead) {
    for (const std::string_view bad :
         {"", "hello", "[1]", R"({"messages":[)", "{}", R"({"messages":[]})", "{\"messages\":\"\xff\"}"})
        EXPECT_FALSE(read_request(Operation::chat, bad).has_value()) << bad;
    EXPECT_FALSE(read_request(Operation::embeddings, R"({"input":[]})").has_value());
    EXPECT_FALSE(read_request(Operation::embeddings, R"({"input":"a","dimensions":99999})").has_value());
    EXPECT_FALSE(read_request(Operation::responses, "{}").has_value());
}

TEST(Request, ReadsEmbeddingInputsAndTheFiltersMark) {
    const auto r = read_request(Operation::embeddings, R"({"input":["a","b"],"encoding_format":"base64"})");
    ASSERT_TRUE(r.has_value());
    EXPECT_EQ(r->inputs.size(), 2U);
    EXPECT_TRUE(r->base64);
    EXPECT_TRUE(read_request(Operation::responses, R"({"input":"trigger [[content_filter]]"})")->filtered);
    EXPECT_FALSE(read_request(Operation::completions, R"({"prompt":"harmless"})")->filtered);
}

}  // namespace
}  // namespace spillway::emulator
