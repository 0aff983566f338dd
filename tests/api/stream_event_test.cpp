#include "api/stream_event.hpp"

#include <gtest/gtest.h>

#include <string>

#include "api/error.hpp"

namespace spillway::api {
namespace {

using enum EventKind;

EventKind kind(std::string_view data, std::string_view event = {}) {
    EventClassifier classifier;
    return classifier.classify(event, data).kind;
}
std::string choice(std::string_view members) {
    return R"({"id":"c","object":"chat.completion.chunk","choices":[{"index":0,)" + std::string(members) +
           R"(,"logprobs":null}],"usage":null})";
}
std::string delta(std::string_view members) {
    return choice(R"("delta":{)" + std::string(members) + R"(},"finish_reason":null)");
}

TEST(StreamEvent, AzuresFirstChunkIsPreamble) {
    EXPECT_EQ(
        kind(
            R"({"id":"","choices":[],"created":0,"model":"","object":"","system_fingerprint":null,)"
            R"("prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,)"
            R"("severity":"safe"}}}]})"),
        preamble);
    EXPECT_EQ(kind(R"({"id":"","object":"","created":0,"model":"","choices":[],"prompt_annotations":[]})"),
              preamble);
    EXPECT_EQ(kind(R"({"choices":[],"usage":null})"), preamble);
    EXPECT_EQ(kind(R"({"choices":[],"usage":{}})"), preamble);
}

TEST(StreamEvent, WhatNoReaderWouldSeeIsPreamble) {
    EXPECT_EQ(kind(delta(R"("role":"assistant")")), preamble);
    EXPECT_EQ(kind(delta(R"("role":"assistant","content":"","refusal":null)")), preamble);
    EXPECT_EQ(
        kind(delta(R"("role":"assistant","content":null,"tool_calls":[],"function_call":null,"audio":{})")),
        preamble);
    EXPECT_EQ(kind(delta("")), preamble);
    EXPECT_EQ(kind(choice(R"("text":"","finish_reason":null)")), preamble);
    EXPECT_EQ(kind(choice(R"("finish_reason":null,"content_filter_results":{"hate":{"filtered":false}},)"
                          R"("content_filter_offsets":{"check_offset":44})")),
              preamble);
    EXPECT_EQ(kind(""), preamble);
    EXPECT_EQ(kind("  "), preamble);
    EXPECT_EQ(kind("", "ping"), preamble);
}

TEST(StreamEvent, Output) {
    EXPECT_EQ(kind(delta(R"("content":"Hi")")), output);
    EXPECT_EQ(kind(delta(R"("content":" ")")), output);
    EXPECT_EQ(kind(delta(R"("role":"assistant","content":"x")")), output);
    EXPECT_EQ(kind(delta(R"("refusal":"I cannot")")), output);
    EXPECT_EQ(kind(delta(R"("reasoning_content":"hm")")), output);
    EXPECT_EQ(
        kind(delta(
            R"("tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}])")),
        output);
    EXPECT_EQ(kind(delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{"}}])")), output);
    EXPECT_EQ(kind(delta(R"("function_call":{"name":"f","arguments":""})")), output);
    EXPECT_EQ(kind(delta(R"("context":{"citations":[]})")), output);
    EXPECT_EQ(kind(delta(R"("something":1)")), output);
    EXPECT_EQ(kind(choice(R"("text":"x","finish_reason":null)")), output);
    EXPECT_EQ(kind(choice(R"("delta":{},"finish_reason":"stop")")), output);
    EXPECT_EQ(kind(choice(R"("message":{"content":"x"})")), output);
    EXPECT_EQ(kind(R"({"choices":[{"index":0,"delta":{}},{"index":1,"delta":{"content":"x"}}]})"), output);
    EXPECT_EQ(kind(R"({"choices":[5]})"), output);
    EXPECT_EQ(kind(R"({"choices":[{"delta":"x"}]})"), output);
}

TEST(StreamEvent, WhatIsNotUnderstoodIsOutput) {
    for (const char* data :
         {"hello", "{", "{}", "[1]", R"({"choices":null})", R"({"choices":[{"delta":{"content":"x"}]})",
          R"({"a":1} x)", R"({"type":"thread.created"})", R"({"choices":[{"index":}]})"})
        EXPECT_EQ(kind(data), output) << data;
    EXPECT_EQ(kind(R"({"id":"run_1"})", "thread.run.created"), output);
}

TEST(StreamEvent, UsageAndFinishReason) {
    EventClassifier c;
    EventInfo info = c.classify(
        {}, R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}})");
    EXPECT_EQ(info.kind, usage_only);
    EXPECT_TRUE(info.has_usage);
    EXPECT_EQ(info.usage, (Usage{3, 4, 7, 0, 0}));
    EXPECT_FALSE(info.responses_api);
    info = c.classify({}, choice(R"("delta":{},"finish_reason":"length")"));
    EXPECT_EQ(info.kind, output);
    EXPECT_FALSE(info.has_usage);
    EXPECT_EQ(info.usage, Usage{});
    EXPECT_EQ(info.finish_reason, "length");
    info = c.classify(
        {}, R"({"choices":[{"delta":{"content":"x"},"finish_reason":null}],"usage":{"prompt_tokens":3}})");
    EXPECT_EQ(info.kind, output);
    EXPECT_TRUE(info.has_usage);
    EXPECT_EQ(info.finish_reason, "");
}

TEST(StreamEvent, Done) {
    EXPECT_EQ(kind("[DONE]"), done);
    EXPECT_EQ(kind(" [DONE] "), done);
    EXPECT_EQ(kind("[DONE]", "done"), done);
    EXPECT_EQ(kind("[DONE"), output);
}

TEST(StreamEvent, ErrorsInTheirShapes) {
    EventClassifier c;
    EventInfo info = c.classify({}, R"({"error":{"code":429,"message":"slow\u0020down","type":"tokens"}})");
    EXPECT_EQ(info.kind, error);
    EXPECT_EQ(info.error_code, "429");
    EXPECT_EQ(info.error_message, "slow down");
    EXPECT_FALSE(info.responses_api);

    info = c.classify("error", R"({"type":"error","code":"rate_limit_exceeded","message":"m","param":null,)"
                               R"("sequence_number":3})");
    EXPECT_EQ(info.kind, error);
    EXPECT_TRUE(info.responses_api);
    EXPECT_EQ(info.error_code, "rate_limit_exceeded");
    EXPECT_EQ(info.error_message, "m");
    EXPECT_EQ(info.sequence_number, 3);

    info =
        c.classify("response.failed", R"({"type":"response.failed","sequence_number":4,"response":{"id":"r",)"
                                      R"("status":"failed","error":{"code":"server_error","message":"oh"},)"
                                      R"("usage":null}})");
    EXPECT_EQ(info.kind, error);
    EXPECT_TRUE(info.responses_api);
    EXPECT_EQ(info.error_code, "server_error");
    EXPECT_EQ(info.error_message, "oh");
    EXPECT_EQ(info.finish_reason, "failed");

    info = c.classify({}, R"({"error":{"message":"m","type":"server_error","code":null}})");
    EXPECT_EQ(info.error_code, "server_error") << "the type stands in for a code";
    info = c.classify("error", R"({"type":"error","error":{"type":"t","code":"c","message":"m"}})");
    EXPECT_EQ(info.kind, error);
    EXPECT_EQ(info.error_code, "c");
    info = c.classify("error", R"({"type":"overloaded","message":"m"})");
    EXPECT_EQ(info.kind, error);
    EXPECT_EQ(info.error_code, "overloaded");
    info = c.classify({}, R"({"error":"overloaded"})");
    EXPECT_EQ(info.kind, error);
    EXPECT_EQ(info.error_message, "overloaded");
    info = c.classify("error", "no JSON");
    EXPECT_EQ(info.kind, error);
    EXPECT_EQ(info.error_message, "no JSON");
    info = c.classify({}, R"({"statusCode":429,"message":"m"})");
    EXPECT_EQ(info.kind, error);
    EXPECT_EQ(info.error_code, "429");
    info = c.classify({}, R"({"object":"error","message":"too long","type":"BadRequestError","param":null,)"
                          R"("code":400})");
    EXPECT_EQ(info.kind, error);
    EXPECT_EQ(info.error_code, "400");
    EXPECT_EQ(info.error_type, "BadRequestError");
    EXPECT_EQ(info.error_message, "too long");
    info = c.classify({}, R"({"code":"invalid_image","message":"m"})");
    EXPECT_EQ(info.kind, error);
    EXPECT_EQ(info.error_code, "invalid_image");
    info = c.classify("error", R"({"type":"error","code":null,"message":"m","param":"input"})");
    EXPECT_EQ(info.error_param, "input");
    info = c.classify({}, R"({"error":{"status":"INVALID_ARGUMENT","message":"m"}})");
    EXPECT_EQ(info.error_code, "INVALID_ARGUMENT");
    EXPECT_EQ(kind(R"({"type":"response.code_interpreter_call_code.done","code":"1+1","sequence_number":1})"),
              output);
    EXPECT_EQ(kind("", "error"), error);
    EXPECT_EQ(kind(R"({"type":"response.failed","response":null})"), error);
    EXPECT_EQ(kind(R"({"choices":[],"error":{"message":"m"}})"), error);
    EXPECT_EQ(kind(R"({"choices":[],"error":null})"), preamble);
}

TEST(StreamEvent, OwnErrorEventsAreErrors) {
    for (const std::string& raw : {sse_error_chat("m", "t", "c"), sse_error_responses("m", "c", 1)}) {
        SseSplitter splitter;
        SseEvent e;
        splitter.feed(raw);
        ASSERT_TRUE(splitter.next(e));
        EventClassifier c;
        const EventInfo info = c.classify(e);
        EXPECT_EQ(info.kind, error);
        EXPECT_EQ(info.error_code, "c");
        EXPECT_EQ(info.error_message, "m");
    }
}

TEST(StreamEvent, ResponsesPreamble) {
    for (const std::string type : {"response.created", "response.queued", "response.in_progress",
                                   "response.content_part.added", "response.reasoning_summary_part.added"}) {
        EventClassifier c;
        const EventInfo info = c.classify(
            type,
            R"({"type":")" + type +
                R"(","sequence_number":2,"response":{"status":"in_progress","error":null,"usage":null}})");
        EXPECT_EQ(info.kind, preamble) << type;
        EXPECT_TRUE(info.responses_api);
        EXPECT_EQ(info.sequence_number, 2);
        EXPECT_EQ(info.finish_reason, "in_progress");
    }
    EXPECT_EQ(kind(R"({"type":"response.output_item.added","item":{"type":"message","content":[]}})"),
              preamble);
    EXPECT_EQ(kind(R"({"type":"response.output_item.added","item":{"type":"reasoning","summary":[]}})"),
              preamble);
    EXPECT_EQ(kind("{}", "response.created"), preamble) << "the event's name stands in for a type";
}

TEST(StreamEvent, ResponsesOutput) {
    EXPECT_EQ(kind(R"({"type":"response.output_text.delta","delta":"x"})"), output);
    EXPECT_EQ(kind(R"({"type":"response.function_call_arguments.delta","delta":"{"})"), output);
    EXPECT_EQ(kind(R"({"type":"response.output_item.added","item":{"type":"function_call","name":"f"}})"),
              output);
    EXPECT_EQ(kind(R"({"type":"response.output_item.added","item":null})"), output);
    EXPECT_EQ(kind(R"({"type":"response.new.kind"})"), output);
    EventClassifier c;
    EXPECT_EQ(c.classify({}, R"({"type":"x","sequence_number":99999999999999999999})").sequence_number,
              INT64_MAX);
    EXPECT_EQ(c.classify({}, R"({"type":"x","sequence_number":"1"})").sequence_number, -1);
}

TEST(StreamEvent, ResponsesTerminal) {
    EventClassifier c;
    EventInfo info =
        c.classify("response.completed",
                   R"({"type":"response.completed","sequence_number":9,"response":{"status":"completed",)"
                   R"("error":null,"usage":{"input_tokens":5,"output_tokens":6,"total_tokens":11}}})");
    EXPECT_EQ(info.kind, terminal);
    EXPECT_TRUE(info.has_usage);
    EXPECT_EQ(info.usage, (Usage{5, 6, 11, 0, 0}));
    EXPECT_EQ(info.finish_reason, "completed");
    info = c.classify({}, R"({"type":"response.incomplete","response":{"status":"incomplete",)"
                          R"("incomplete_details":{"reason":"content_filter"}}})");
    EXPECT_EQ(info.kind, terminal);
    EXPECT_FALSE(info.has_usage);
    EXPECT_EQ(info.finish_reason, "incomplete");
}

TEST(StreamEvent, AClassifierKeepsNothingOfTheLastEvent) {
    EventClassifier c;
    (void)c.classify("error", R"({"type":"error","code":"c","message":"m","sequence_number":3})");
    EventClassifier moved = std::move(c);
    EventInfo info = moved.classify({}, delta(R"("content":"x")"));
    EXPECT_EQ(info.kind, output);
    EXPECT_EQ(info.error_code, "");
    EXPECT_EQ(info.sequence_number, -1);
    EXPECT_FALSE(info.responses_api);
    c = std::move(moved);
    info = c.classify({}, "garbage");
    EXPECT_FALSE(info.has_usage);
    EXPECT_EQ(info.finish_reason, "");
}

TEST(MayMatter, YesToUsageErrorsAndEnds) {
    for (const std::string& data :
         {std::string("[DONE]"), std::string("garbage"),
          std::string(R"({"choices":[],"usage":{"prompt_tokens":1}})"),
          std::string(R"({"choices":[],"usage" : {}})"), std::string(R"({"error":{"message":"m"}})"),
          std::string(R"({"type":"error","message":"m"})"),
          std::string(R"({"statusCode":500,"message":"m"})"), std::string(R"({"type":"response.completed"})"),
          std::string(R"({"type":"response.incomplete"})"), std::string(R"({"type":"response.failed"})"),
          choice(R"("delta":{},"finish_reason":"stop")")})
        EXPECT_TRUE(EventClassifier::may_matter(data)) << data;
    for (const char* event : {"error", "response.completed", "response.failed", "response.incomplete"})
        EXPECT_TRUE(EventClassifier::may_matter(event, "{}"));
}

TEST(MayMatter, FindsAWordWhereverItStands) {
    for (std::size_t before = 0; before < 40; ++before)
        for (std::size_t behind = 0; behind < 40; ++behind) {
            const auto data = [&](std::string_view middle) {
                std::string text = R"({"a":")";
                text.append(before, 'x').append("\",").append(middle);
                return text.append(R"(,"b":")").append(behind, 'y').append("\"}");
            };
            EXPECT_TRUE(EventClassifier::may_matter(data(R"("usage":{})")));
            EXPECT_TRUE(EventClassifier::may_matter(data(R"("c":"response.failed")")));
            EXPECT_FALSE(EventClassifier::may_matter(data(R"("usage":null,"eusage":1)")));
        }
    EXPECT_FALSE(EventClassifier::may_matter(R"({"a":"u")"));
    EXPECT_FALSE(EventClassifier::may_matter(R"({"r)"));
    EXPECT_TRUE(EventClassifier::may_matter(R"({"usage")"));
}

TEST(MayMatter, NoToPlainOutput) {
    for (const std::string& data :
         {std::string(), delta(R"("content":"Hi")"), delta(R"("content":"the \"usage\": {\"error\": 1}")"),
          delta(R"("content":"usage of error, finish_reason, response.completed")"),
          delta(R"("content":"ends in a backslash \\")"),
          std::string(R"({"choices":[],"usage" : null,"error":null})"),
          std::string(R"({"type":"response.output_text.delta","delta":"x","sequence_number":4})")})
        EXPECT_FALSE(EventClassifier::may_matter(data)) << data;
    EXPECT_FALSE(EventClassifier::may_matter("response.output_text.delta", R"({"delta":"x"})"));
}

TEST(KeepAlive, CommentsAndEventsThatSayNothingElse) {
    const auto is = [](std::string_view raw) {
        SseSplitter splitter;
        splitter.feed(raw);
        SseEvent event;
        EXPECT_TRUE(splitter.next(event)) << raw;
        return EventClassifier::is_keep_alive(event);
    };
    for (const std::string_view yes :
         {": OPENROUTER PROCESSING\n\n", ":\n\n", "event: ping\ndata: {}\n\n",
          "data: {\"type\":\"keepalive\",\"sequence_number\":466}\n\n", "data: {\"type\": \"ping\"}\n\n",
          "event: keepalive\ndata: {\"type\":\"keepalive\",\"sequence_number\":2}\n\n",
          "event: response.keep_alive\ndata: {\"type\":\"response.keep_alive\"}\n\n"})
        EXPECT_TRUE(is(yes)) << yes;
    for (const std::string_view no :
         {"\n", "retry: 3000\n\n", "data: [DONE]\n\n", "data: {}\n\n", "data: {\"type\":\"error\"}\n\n",
          "event: response.created\ndata: {\"type\":\"response.created\"}\n\n",
          "data: {\"choices\":[{\"delta\":{\"content\":\"ping\"}}]}\n\n"})
        EXPECT_FALSE(is(no)) << no;
}

TEST(EventKindNames, AreTold) {
    EXPECT_EQ(to_string(preamble), "preamble");
    EXPECT_EQ(to_string(output), "output");
    EXPECT_EQ(to_string(usage_only), "usage_only");
    EXPECT_EQ(to_string(error), "error");
    EXPECT_EQ(to_string(done), "done");
    EXPECT_EQ(to_string(terminal), "terminal");
}

}  // namespace
}  // namespace spillway::api
