#include "load/wire.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json_reader.hpp"

namespace spillway::load {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

bool is_json(const std::string& text) {
    api::JsonReader reader(text);
    return reader.skip() && reader.at_end();
}

Target target(Style style, const char* url) {
    Target t;
    t.url = config::parse_backend_url(url).value();
    t.style = style;
    t.deployment = "gpt 4o";
    t.api_key = config::Secret("k1");
    return t;
}

std::string body_of(const RequestForm& form, const Conversation& c) {
    const RequestParts parts = form.parts(c);
    const std::string all = parts.head + std::string(c.messages()) + parts.tail;
    return all.substr(all.find("\r\n\r\n") + 4);
}

TEST(RequestForm, AzureNamesTheDeploymentInThePath) {
    const Scenario scenario;
    Conversation c(scenario, system_message(scenario), Rng(1));
    c.ask();
    const RequestForm form(target(Style::azure, "http://h.example:81/base"));
    const RequestParts parts = form.parts(c);
    EXPECT_THAT(
        parts.head,
        StartsWith(
            "POST /base/openai/deployments/gpt%204o/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"));
    EXPECT_THAT(parts.head, HasSubstr("\r\nHost: h.example:81\r\n"));
    EXPECT_THAT(parts.head, HasSubstr("\r\napi-key: k1\r\n"));
    EXPECT_THAT(parts.head, Not(HasSubstr("authorization")));
    const std::string body = body_of(form, c);
    EXPECT_TRUE(is_json(body)) << body;
    EXPECT_THAT(parts.head, HasSubstr("content-length: " + std::to_string(body.size()) + "\r\n"));
    EXPECT_THAT(body,
                HasSubstr(R"("max_tokens":1000,"stream":true,"stream_options":{"include_usage":true})"));
    EXPECT_THAT(body, Not(HasSubstr("\"model\"")));
}

TEST(RequestForm, V1NamesTheModelInTheBody) {
    Scenario scenario;
    scenario.stream_share = 0;
    Conversation c(scenario, "", Rng(1));
    c.ask();
    Target t = target(Style::v1, "https://h.example");
    t.max_completion_tokens = true;
    t.fields = {{"x-team", "a"}};
    const RequestForm form(t);
    const RequestParts parts = form.parts(c);
    EXPECT_THAT(parts.head, StartsWith("POST /v1/chat/completions HTTP/1.1\r\n"));
    EXPECT_THAT(parts.head, HasSubstr("\r\nauthorization: Bearer k1\r\n"));
    EXPECT_THAT(parts.head, HasSubstr("\r\nx-team: a\r\n"));
    const std::string body = body_of(form, c);
    EXPECT_TRUE(is_json(body)) << body;
    EXPECT_THAT(body, HasSubstr(R"("model":"gpt 4o","max_completion_tokens":1000})"));
    EXPECT_THAT(body, Not(HasSubstr("stream")));
    const RequestForm azure_v1(target(Style::v1, "https://h.example/openai/v1"));
    EXPECT_THAT(azure_v1.parts(c).head, StartsWith("POST /openai/v1/chat/completions HTTP/1.1\r\n"));
}

TEST(Conversation, GrowsTurnByTurnAndForgetsWhatFailed) {
    Scenario scenario;
    scenario.turns = {2, 2};
    Conversation c(scenario, system_message(scenario), Rng(4));
    const std::string begin(c.messages());
    EXPECT_THAT(begin, StartsWith(R"({"role":"system","content":")"));
    c.ask();
    const std::size_t asked = c.messages().size();
    EXPECT_GT(asked, begin.size());
    c.forgotten();
    EXPECT_EQ(c.messages(), begin);
    EXPECT_FALSE(c.over());
    c.ask();
    c.answered("Yes, \"so\".");
    EXPECT_THAT(std::string(c.messages()), HasSubstr(R"({"role":"assistant","content":"Yes, \"so\"."})"));
    EXPECT_TRUE(is_json("[" + std::string(c.messages()) + "]"));
    EXPECT_TRUE(c.over());
}

TEST(Conversation, SharesAndLengthsAreMet) {
    Scenario scenario;
    scenario.korean_share = 0.3;
    scenario.stream_share = 0.7;
    scenario.prompt_words = 30;
    scenario.spread = 0;
    scenario.answer_tokens = 90;
    scenario.system_prompt_words = 0;
    EXPECT_EQ(system_message(scenario), "");
    int korean = 0;
    int streamed = 0;
    constexpr int n = 2000;
    for (int i = 0; i < n; ++i) {
        Conversation c(scenario, "", Rng(static_cast<std::uint64_t>(i)));
        c.ask();
        const std::string text(c.messages());
        EXPECT_THAT(text, HasSubstr("[[tokens:90]]"));
        korean += text.find("토큰") != std::string::npos ? 1 : 0;
        streamed += c.streamed() ? 1 : 0;
    }
    EXPECT_NEAR(korean, 0.3 * n, 100);
    EXPECT_NEAR(streamed, 0.7 * n, 100);
}

TEST(Conversation, AnswersAskedForFitTheLimit) {
    Scenario scenario;
    scenario.answer_tokens = 500;
    scenario.max_tokens = 40;
    scenario.spread = 1;
    Conversation c(scenario, "", Rng(1));
    for (int i = 0; i < 50; ++i) {
        c.ask();
        const std::string text(c.messages());
        const std::size_t at = text.find("[[tokens:") + 9;
        EXPECT_LE(std::stoi(text.substr(at)), 40);
        c.forgotten();
    }
}

TEST(ReadChat, FindsTextUsageAndErrors) {
    ChatPart part;
    ASSERT_TRUE(read_chat(
        R"({"choices":[{"message":{"role":"assistant","content":"Hi \u00e9"},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}})",
        part));
    EXPECT_EQ(part.content, "Hi é");
    EXPECT_TRUE(part.output && part.finished && part.has_usage);
    EXPECT_EQ(part.usage.total, 10U);
    ASSERT_TRUE(read_chat(R"({"error":{"code":"429","message":"slow down"}})", part));
    EXPECT_EQ(part.error, "429");
    EXPECT_FALSE(part.output);
    ASSERT_TRUE(read_chat(R"({"error":{"type":"server_error","code":null}})", part));
    EXPECT_EQ(part.error, "server_error");
    ASSERT_TRUE(read_chat(R"({"choices":[{"delta":{"tool_calls":[{}]}}],"usage":null})", part));
    EXPECT_TRUE(part.output);
    EXPECT_FALSE(part.has_usage);
    EXPECT_FALSE(read_chat("{\"choices\":[", part));
    EXPECT_FALSE(read_chat("{} x", part));
}

constexpr std::string_view stream =
    "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"One \"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"two\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}}\n\n"
    "data: [DONE]\n\n";

TEST(StreamReader, CountsOutputsOnlyHoweverTheyAreCut) {
    for (std::size_t size = 1; size < stream.size(); size += 7) {
        StreamReader reader;
        std::size_t outputs = 0;
        for (std::size_t at = 0; at < stream.size(); at += size)
            outputs += reader.feed(stream.substr(at, size));
        reader.end();
        EXPECT_EQ(outputs, 2U) << size;
        EXPECT_EQ(reader.text(), "One two");
        EXPECT_EQ(reader.problem(), "");
        EXPECT_EQ(reader.usage().total, 7U);
    }
}

TEST(StreamReader, TellsWhatIsWrong) {
    StreamReader cut;
    EXPECT_EQ(cut.feed(stream.substr(0, stream.find("two") + 7)), 1U);
    cut.end();
    EXPECT_EQ(cut.problem(), "stream: cut");
    StreamReader error;
    (void)error.feed("data: {\"error\":{\"code\":\"429\"}}\n\ndata: [DONE]\n\n");
    error.end();
    EXPECT_EQ(error.problem(), "stream: 429");
    StreamReader nonsense;
    (void)nonsense.feed("data: nonsense\n\n");
    nonsense.end();
    EXPECT_EQ(nonsense.problem(), "stream: not a chunk");
}

}  // namespace
}  // namespace spillway::load
