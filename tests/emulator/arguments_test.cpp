// What a strict resource refuses, in Azure's words.
#include "emulator/arguments.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/model_catalog.hpp"

namespace spillway::emulator {
namespace {

using testing::HasSubstr;

/// The refusal of `body` by a deployment of `model`; "" if there is none.
std::string refusal(Operation operation, std::string_view model, const std::string& body) {
    const auto request = read_request(operation, body);
    if (!request) return "unreadable: " + request.error().message;
    const auto fault = argument_fault(*request, model);
    if (!fault) return "";
    EXPECT_EQ(fault->status, 400U);
    return fault->body;
}

std::string chat(std::string_view model, const std::string& more, const std::string& text = "Hi") {
    return refusal(Operation::chat, model,
                   R"({"messages":[{"role":"user","content":")" + text + R"("}])" + more + "}");
}

TEST(Arguments, UnknownOnesAreNamed) {
    EXPECT_THAT(
        chat("gpt-4o", R"(,"thinking":true)"),
        HasSubstr(
            R"("message":"Unrecognized request argument supplied: thinking","type":"invalid_request_error")"));
    EXPECT_THAT(chat("gpt-4o", R"(,"zzz":1,"abc":2)"),
                HasSubstr("Unrecognized request arguments supplied: abc, zzz"));
    EXPECT_EQ(chat("gpt-4o", R"(,"temperature":0.7,"user":"u","seed":1,"stop":["x"],"logprobs":true)"), "");
    EXPECT_THAT(refusal(Operation::embeddings, "text-embedding-3-small", R"({"input":"a","temperature":1})"),
                HasSubstr("Unrecognized request argument supplied: temperature"));
}

TEST(Arguments, SamplingHasItsRange) {
    EXPECT_THAT(
        chat("gpt-4o", R"(,"temperature":3)"),
        HasSubstr(
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead."));
    EXPECT_THAT(chat("gpt-4o", R"(,"top_p":1.5)"), HasSubstr("decimal_above_max_value"));
    EXPECT_THAT(chat("gpt-4o", R"(,"temperature":-1)"), HasSubstr("decimal_below_min_value"));
    EXPECT_THAT(chat("gpt-4o", R"(,"temperature":"hot")"), HasSubstr("invalid_type"));
    EXPECT_EQ(chat("gpt-4o", R"(,"temperature":2,"top_p":1)"), "");
    EXPECT_EQ(chat("gpt-4o", R"(,"temperature":null)"), "");
}

TEST(Arguments, SomeGoTogetherOnly) {
    const std::string tool = R"(,"tools":[{"type":"function","function":{"name":"f"}}])";
    EXPECT_THAT(chat("gpt-4o", R"(,"tools":[])"), HasSubstr("[] is too short - 'tools'"));
    EXPECT_THAT(chat("gpt-4o", R"(,"tool_choice":"auto")"),
                HasSubstr("only allowed when 'tools' are specified"));
    EXPECT_EQ(chat("gpt-4o", tool + R"(,"tool_choice":"auto","parallel_tool_calls":false)"), "");
    EXPECT_THAT(chat("gpt-4o", R"(,"stream_options":{})"),
                HasSubstr("only allowed when 'stream' is enabled"));
    EXPECT_THAT(chat("gpt-4o", R"(,"top_logprobs":2)"), HasSubstr("only allowed when 'logprobs' is enabled"));
    EXPECT_THAT(chat("gpt-4o", R"(,"reasoning_effort":"low")"), HasSubstr("reasoning_effort"));
    EXPECT_THAT(chat("o3-mini", R"(,"presence_penalty":1)"),
                HasSubstr("'presence_penalty' is not supported"));
}

TEST(Arguments, WhatIsTrueOrFalseIsNoNumber) {
    EXPECT_THAT(chat("gpt-4o", R"(,"temperature":true)"), HasSubstr("invalid_type"));
    EXPECT_THAT(chat("gpt-4o", R"(,"top_p":false)"), HasSubstr("invalid_type"));
    EXPECT_EQ(chat("gpt-4o", R"(,"temperature":1e-1)"), "");
}

TEST(Arguments, LogprobsHaveTheirLimits) {
    EXPECT_THAT(chat("gpt-4o", R"(,"logprobs":false,"top_logprobs":2)"),
                HasSubstr("only allowed when 'logprobs' is enabled"));
    EXPECT_THAT(chat("gpt-4o", R"(,"logprobs":true,"top_logprobs":21)"), HasSubstr("Expected a value <= 20"));
    EXPECT_EQ(chat("gpt-4o", R"(,"logprobs":true,"top_logprobs":0)"), "");
}

TEST(Arguments, OtherOperationsAreRefusedTheirOwn) {
    const auto completion = [](const std::string& more) {
        return refusal(Operation::completions, "gpt-35-turbo-instruct", R"({"prompt":"a")" + more + "}");
    };
    EXPECT_THAT(completion(R"(,"n":0)"), HasSubstr("integer_below_min_value"));
    EXPECT_THAT(completion(R"(,"max_tokens":-1)"), HasSubstr("integer_below_min_value"));
    EXPECT_THAT(completion(R"(,"stop":["a","b","c","d","e"])"), HasSubstr("array_above_max_length"));
    EXPECT_EQ(completion(R"(,"logprobs":5,"n":2,"max_tokens":0)"), "");
    const auto response = [](std::string_view model, const std::string& more) {
        return refusal(Operation::responses, model, R"({"input":"a")" + more + "}");
    };
    EXPECT_THAT(response("gpt-4o", R"(,"temperature":3)"), HasSubstr("decimal_above_max_value"));
    EXPECT_THAT(response("gpt-4o", R"(,"max_output_tokens":5)"), HasSubstr("Expected a value >= 16"));
    EXPECT_THAT(response("o3-mini", R"(,"temperature":0.5)"), HasSubstr("Only the default (1) value"));
    EXPECT_EQ(response("gpt-4o", R"(,"temperature":0.5,"max_output_tokens":16)"), "");
    EXPECT_THAT(refusal(Operation::embeddings, "text-embedding-ada-002", R"({"input":"a","dimensions":64})"),
                HasSubstr("does not support specifying dimensions"));
    EXPECT_EQ(refusal(Operation::embeddings, "text-embedding-3-small", R"({"input":"a","dimensions":64})"),
              "");
}

TEST(Arguments, CountsHaveTheirRange) {
    EXPECT_THAT(chat("gpt-4o", R"(,"presence_penalty":-3)"), HasSubstr("Expected a value >= -2, but got -3"));
    EXPECT_THAT(chat("gpt-4o", R"(,"n":0)"), HasSubstr("integer_below_min_value"));
    EXPECT_THAT(chat("gpt-4o", R"(,"n":129)"), HasSubstr("Expected a value <= 128, but got 129"));
    EXPECT_THAT(chat("gpt-4o", R"(,"max_tokens":"5")"), HasSubstr("invalid_type"));
    EXPECT_THAT(chat("gpt-4o", R"(,"stop":["a","b","c","d","e"])"), HasSubstr("array_above_max_length"));
}

TEST(Arguments, MessagesFollowEachOther) {
    const auto messages = [](const std::string& list) {
        return refusal(Operation::chat, "gpt-4o", R"({"messages":[)" + list + "]}");
    };
    const std::string call =
        R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]})";
    const std::string result = R"({"role":"tool","tool_call_id":"c1","content":"1"})";
    const std::string ask = R"({"role":"user","content":"x"})";
    EXPECT_EQ(messages(ask + "," + call + "," + result), "");
    EXPECT_THAT(messages(ask + "," + call + "," + ask), HasSubstr("did not have response messages: c1"));
    EXPECT_THAT(messages(ask + "," + result), HasSubstr("must be a response to a preceeding message"));
    EXPECT_THAT(messages(R"({"role":"robot","content":"x"})"), HasSubstr("Invalid value: 'robot'"));
    EXPECT_THAT(messages(R"({"role":"user","content":null})"), HasSubstr("messages.[0].content"));
}

TEST(Arguments, ReasoningModelsTakeOthers) {
    for (const std::string model : {"o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5-mini"}) {
        EXPECT_THAT(chat(model, R"(,"max_tokens":9)"),
                    HasSubstr("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                              "'max_completion_tokens' instead."));
        EXPECT_THAT(chat(model, R"(,"temperature":0.2)"),
                    HasSubstr("Unsupported value: 'temperature' does not support 0.2 with this model."));
        EXPECT_EQ(chat(model, R"(,"temperature":1,"max_completion_tokens":9)"), "");
    }
    for (const std::string model : {"gpt-4o", "gpt-5-chat", "omni", "o"})
        EXPECT_EQ(chat(model, R"(,"max_tokens":9,"temperature":0.2)"), "") << model;
}

TEST(Arguments, TwoLimitsAreOneTooMany) {
    EXPECT_THAT(
        chat("gpt-4o", R"(,"max_tokens":9,"max_completion_tokens":9)"),
        HasSubstr("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."));
}

TEST(Arguments, JsonModeNeedsTheWord) {
    const std::string mode = R"(,"response_format":{"type":"json_object"})";
    EXPECT_THAT(chat("gpt-4o", mode), HasSubstr("'messages' must contain the word 'json' in some form"));
    EXPECT_EQ(chat("gpt-4o", mode, "Answer in JSON."), "");
}

TEST(Arguments, EmbeddingsHaveAMostNumberOfInputs) {
    const auto body = [](int n) {
        std::string out = R"({"input":["a")";
        for (int i = 1; i < n; ++i) out += R"(,"a")";
        return out + "]}";
    };
    EXPECT_EQ(refusal(Operation::embeddings, "text-embedding-3-small", body(2048)), "");
    EXPECT_THAT(refusal(Operation::embeddings, "text-embedding-3-small", body(2049)),
                HasSubstr("Too many inputs. The max number of inputs is 2048."));
}

TEST(Arguments, ChatModelsDoNotComplete) {
    for (const std::string_view model : {"gpt-4o", "gpt-35-turbo", "o3-mini", "gpt-4.1-mini"})
        EXPECT_FALSE(completes(model)) << model;
    for (const std::string_view model : {"gpt-35-turbo-instruct", "davinci-002", "babbage-002", "my-own"})
        EXPECT_TRUE(completes(model)) << model;
}

TEST(Arguments, InstructModelsDoNotChat) {
    for (const std::string_view model : {"gpt-35-turbo-instruct", "davinci-002"})
        EXPECT_FALSE(chats(model)) << model;
    for (const std::string_view model : {"gpt-4o", "o3-mini", "my-own"}) EXPECT_TRUE(chats(model)) << model;
}

TEST(Arguments, TheResponsesApiHasABeginning) {
    for (const std::string_view version : {"2025-03-01-preview", "2025-04-01-preview", "preview", "latest"})
        EXPECT_TRUE(has_responses(version)) << version;
    for (const std::string_view version : {"2024-10-21", "2025-02-01-preview"})
        EXPECT_FALSE(has_responses(version)) << version;
}

TEST(Arguments, VersionsAreThoseThatWereReleased) {
    for (const std::string_view version : {"2024-10-21", "2025-04-01-preview", "2023-05-15", "preview"})
        EXPECT_TRUE(is_released(version)) << version;
    for (const std::string_view version : {"2019-01-01", "2024-10-22", "2025-04-14-preview", ""})
        EXPECT_FALSE(is_released(version)) << version;
}

}  // namespace
}  // namespace spillway::emulator
