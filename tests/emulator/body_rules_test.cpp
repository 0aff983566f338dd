// What a strict resource refuses in the shape of a body, and what a model does not take.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/arguments.hpp"

namespace spillway::emulator {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// The refusal of `body` by a deployment of `model`; "" if there is none.
std::string refusal(Operation operation, std::string_view model, const std::string& body) {
    const auto request = read_request(operation, body);
    if (!request) return "unreadable: " + request.error().message;
    const auto fault = argument_fault(*request, model);
    return fault ? fault->body : "";
}

std::string chat(const std::string& more, std::string_view model = "gpt-4o") {
    return refusal(Operation::chat, model,
                   R"({"messages":[{"role":"user","content":"Hi json"}])" + more + "}");
}

std::string messages(const std::string& list, std::string_view model = "gpt-4o") {
    return refusal(Operation::chat, model, R"({"messages":[)" + list + "]}");
}

std::string response(const std::string& more, std::string_view model = "gpt-4o") {
    return refusal(Operation::responses, model, R"({"input":"a")" + more + "}");
}

std::string embedding(const std::string& body, std::string_view model = "text-embedding-3-small") {
    return refusal(Operation::embeddings, model, "{" + body + "}");
}

/// The message, place and code of an error.
auto told(std::string_view message, std::string_view param, std::string_view code) {
    const auto or_null = [](std::string_view s) {
        return s.empty() ? std::string("null") : fmt::format("\"{}\"", s);
    };
    return AllOf(HasSubstr(message),
                 HasSubstr(fmt::format(R"("param":{},"code":{})", or_null(param), or_null(code))));
}

TEST(BodyRules, EachMemberHasItsTypes) {
    const auto wrong = [](std::string_view name, std::string_view expected, std::string_view got) {
        return told(
            fmt::format("Invalid type for '{}': expected {}, but got {} instead.", name, expected, got), name,
            "invalid_type");
    };
    EXPECT_THAT(chat(R"(,"stream":"true")"), wrong("stream", "a boolean", "a string"));
    EXPECT_THAT(chat(R"(,"user":5)"), wrong("user", "a string", "an integer"));
    EXPECT_THAT(chat(R"(,"seed":"x")"), wrong("seed", "an integer", "a string"));
    EXPECT_THAT(chat(R"(,"seed":1.5)"), wrong("seed", "an integer", "a decimal number"));
    EXPECT_THAT(chat(R"(,"logprobs":"yes")"), wrong("logprobs", "a boolean", "a string"));
    EXPECT_THAT(chat(R"(,"temperature":true)"), wrong("temperature", "a decimal", "a boolean"));
    EXPECT_THAT(chat(R"(,"stop":5)"), wrong("stop", "one of a string or array of strings", "an integer"));
    EXPECT_THAT(chat(R"(,"stop":["a",5])"), wrong("stop[1]", "a string", "an integer"));
    EXPECT_THAT(chat(R"(,"tools":"none")"), wrong("tools", "an array of objects", "a string"));
    EXPECT_THAT(chat(R"(,"response_format":"json")"), wrong("response_format", "an object", "a string"));
    EXPECT_THAT(chat(R"(,"tool_choice":7)"),
                wrong("tool_choice", "one of one of 'none', 'auto', or 'required' or object", "an integer"));
    EXPECT_THAT(response(R"(,"reasoning":"low")"), wrong("reasoning", "an object", "a string"));
    EXPECT_THAT(response(R"(,"truncation":{})"),
                wrong("truncation", "one of 'auto' or 'disabled'", "an object"));
    EXPECT_THAT(embedding(R"("input":"a","user":1)"), wrong("user", "a string", "an integer"));
    EXPECT_EQ(chat(R"(,"stream":null,"user":null,"stop":null,"seed":-5,"top_p":1)"), "");
}

TEST(BodyRules, SomeMembersHaveTheirValues) {
    EXPECT_THAT(chat(R"(,"service_tier":"gold")"),
                HasSubstr("Invalid value: 'gold'. Supported values are: 'auto'"));
    EXPECT_THAT(chat(R"(,"reasoning_effort":"huge")", "o3-mini"), HasSubstr("Invalid value: 'huge'."));
    EXPECT_THAT(
        chat(R"(,"reasoning_effort":"minimal")", "o3-mini"),
        told("Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported "
             "values are: 'low', 'medium', and 'high'.",
             "reasoning_effort", "unsupported_value"));
    EXPECT_EQ(chat(R"(,"reasoning_effort":"minimal")", "gpt-5-mini"), "");
    EXPECT_THAT(response(R"(,"text":{"verbosity":"bogus"})"),
                told("Invalid value: 'bogus'. Supported values are: 'low', 'medium', and 'high'.",
                     "text.verbosity", "invalid_value"));
    EXPECT_THAT(embedding(R"("input":"a","encoding_format":"hex")"),
                told("Invalid value: 'hex'. Supported values are: 'float' and 'base64'.", "encoding_format",
                     "invalid_value"));
    EXPECT_THAT(chat(R"(,"logit_bias":{"50256":200})"), HasSubstr("Expected a value <= 100, but got 200"));
    EXPECT_THAT(chat(R"(,"logit_bias":{"50256":-101})"), HasSubstr("Expected a value >= -100, but got -101"));
    EXPECT_THAT(chat(R"(,"logit_bias":{"50256":"x"})"), HasSubstr("Invalid type for 'logit_bias.50256'"));
    EXPECT_EQ(chat(R"(,"logit_bias":{"50256":-100,"1":100})"), "");
}

TEST(BodyRules, ContentIsATextOrParts) {
    const auto content = [](const std::string& c, std::string_view model = "gpt-4o") {
        return messages(R"({"role":"user","content":)" + c + "}", model);
    };
    EXPECT_THAT(content("7"),
                told("Invalid type for 'messages[0].content': expected one of a string or array of "
                     "objects, but got an integer instead.",
                     "messages[0].content", "invalid_type"));
    EXPECT_THAT(content("[]"),
                told("Invalid 'messages[0].content': empty array. Expected an array with minimum "
                     "length 1, but got an empty array instead.",
                     "messages[0].content", "empty_array"));
    EXPECT_THAT(content(R"([{"type":"picture"}])"),
                told("Invalid value: 'picture'. Supported values are: 'text', 'image_url',",
                     "messages[0].content[0].type", "invalid_value"));
    EXPECT_THAT(content(R"(["a"])"),
                HasSubstr("Invalid type for 'messages[0].content[0]': expected an object"));
    EXPECT_THAT(content(R"([{"text":"a"}])"), HasSubstr("'messages[0].content[0].type'"));
    EXPECT_THAT(content(R"([{"type":"text"}])"), HasSubstr("'messages[0].content[0].text'"));
    EXPECT_THAT(messages(R"("ping")"), HasSubstr("Invalid type for 'messages[0]': expected an object"));
    EXPECT_THAT(messages(R"({"content":"a"})"), HasSubstr("Missing required parameter: 'messages[0].role'."));
    EXPECT_THAT(messages(R"({"role":"assistant"})"), HasSubstr("expected a string, got null"));
    EXPECT_EQ(content(R"([{"type":"text","text":"a"},{"type":"text","text":"b"}])"), "");
}

TEST(BodyRules, PicturesAreForModelsThatSee) {
    const std::string ask =
        R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:"}}]})";
    EXPECT_EQ(messages(ask, "gpt-4o"), "");
    EXPECT_EQ(messages(ask, "my-own"), "");
    for (const std::string_view model : {"o3-mini", "gpt-35-turbo", "gpt-4"})
        EXPECT_THAT(messages(ask, model),
                    told("Invalid content type. image_url is only supported by certain models.",
                         "messages.[0].content.[1].type", ""))
            << model;
}

TEST(BodyRules, ItemsOfResponsesAreChecked) {
    const auto items = [](const std::string& list) {
        return refusal(Operation::responses, "gpt-4o", R"({"input":[)" + list + "]}");
    };
    EXPECT_THAT(items("7"), HasSubstr("'input[0]': expected an input item, but got an integer instead."));
    EXPECT_THAT(items(R"({"role":"robot","content":"a"})"),
                HasSubstr("Supported values are: 'assistant', 'system', 'developer', and 'user'."));
    EXPECT_THAT(items(R"({"role":"user","content":[{"type":"text","text":"a"}]})"),
                told("Invalid value: 'text'. Supported values are: 'input_text',", "input[0].content[0].type",
                     "invalid_value"));
    EXPECT_THAT(items(R"({"role":"assistant","content":[{"type":"input_text","text":"a"}]})"),
                HasSubstr("Supported values are: 'output_text' and 'refusal'."));
    const std::string call = R"({"type":"function_call","call_id":"c","name":"f","arguments":"{}"})";
    const std::string output = R"({"type":"function_call_output","call_id":"c","output":"1"})";
    EXPECT_EQ(items(call + "," + output), "");
    EXPECT_THAT(items(output), HasSubstr("No tool call found for function call output with call_id c."));
}

TEST(BodyRules, AFormHasItsTypeNameAndSchema) {
    const auto form = [](const std::string& f) { return chat(R"(,"response_format":)" + f); };
    const auto strict = [&](const std::string& schema) {
        return form(R"({"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":)" + schema +
                    "}}");
    };
    const auto misses = [](std::string_view place) {
        return told(fmt::format("Missing required parameter: '{}'.", place), place,
                    "missing_required_parameter");
    };
    EXPECT_THAT(form("{}"), misses("response_format.type"));
    EXPECT_THAT(form(R"({"type":"xml"})"),
                told("Invalid value: 'xml'. Supported values are: 'json_object', 'json_schema', and 'text'.",
                     "response_format.type", "invalid_value"));
    EXPECT_THAT(form(R"({"type":"json_schema"})"), misses("response_format.json_schema"));
    EXPECT_THAT(form(R"({"type":"json_schema","json_schema":{"schema":{}}})"),
                misses("response_format.json_schema.name"));
    EXPECT_THAT(form(R"({"type":"json_schema","json_schema":{"name":"n"}})"),
                misses("response_format.json_schema.schema"));
    EXPECT_THAT(
        strict(R"({"type":"object","properties":{}})"),
        told("Invalid schema for response_format 'n': In context=(), 'additionalProperties' is required to "
             "be supplied and to be false.",
             "response_format", ""));
    EXPECT_THAT(strict(R"({"type":"object","additionalProperties":false,"required":["a"],"properties":)"
                       R"({"a":{"type":"object"}}})"),
                HasSubstr("In context=('properties', 'a'), 'additionalProperties'"));
    EXPECT_THAT(
        strict(R"({"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}}})"),
        HasSubstr("every key in properties. Missing 'a'."));
    EXPECT_EQ(strict(R"({"type":"object","additionalProperties":false,"required":["a"],"properties":)"
                     R"({"a":{"type":["string","null"]}}})"),
              "");
    EXPECT_EQ(form(R"({"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})"), "");
    EXPECT_THAT(response(R"(,"text":{"format":{"type":"json_schema"}})"), misses("text.format.name"));
    EXPECT_THAT(response(R"(,"text":{"format":{"type":"json_schema","name":"n","strict":true,)"
                         R"("schema":{"type":"object"}}})"),
                told("'additionalProperties' is required", "text.format.schema", "invalid_json_schema"));
}

TEST(BodyRules, AToolHasItsTypeAndName) {
    const auto tools = [](const std::string& t) { return chat(R"(,"tools":[)" + t + "]"); };
    const auto named = [](const std::string& name) {
        return R"({"type":"function","function":{"name":")" + name + R"("}})";
    };
    EXPECT_THAT(tools(R"({"function":{"name":"f"}})"),
                HasSubstr("Missing required parameter: 'tools[0].type'."));
    EXPECT_THAT(tools(R"({"type":"function"})"), HasSubstr("'tools[0].function'."));
    EXPECT_THAT(tools(R"({"type":"function","function":{}})"), HasSubstr("'tools[0].function.name'."));
    EXPECT_THAT(tools(R"({"type":"web"})"), HasSubstr("Supported values are: 'function' and 'custom'."));
    EXPECT_THAT(
        tools(named("get weather")),
        told("Invalid 'tools[0].function.name': string does not match pattern. Expected a string that "
             "matches the pattern '^[a-zA-Z0-9_-]+$'.",
             "tools[0].function.name", "invalid_value"));
    EXPECT_THAT(tools(named(std::string(65, 'a'))), HasSubstr("string_above_max_length"));
    EXPECT_EQ(tools(named(std::string(64, 'a'))), "");
    std::string many = named("f0");
    for (int i = 1; i < 128; ++i) many += "," + named(fmt::format("f{}", i));
    EXPECT_EQ(tools(many), "");
    EXPECT_THAT(
        tools(many + "," + named("last")),
        told("Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array "
             "with length 129 instead.",
             "tools", "array_above_max_length"));
    EXPECT_THAT(response(R"(,"tools":[)" + named("f") + "]"), HasSubstr("'tools[0].name'."));
    EXPECT_EQ(response(R"(,"tools":[{"type":"function","name":"f"},{"type":"web_search"}])"), "");
}

TEST(BodyRules, AChoiceNamesATool) {
    const std::string tool = R"(,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":)";
    EXPECT_EQ(chat(tool + R"({"type":"function","function":{"name":"f"}})"), "");
    EXPECT_THAT(chat(tool + R"({"type":"function","function":{"name":"g"}})"),
                told("no function named 'g' was specified in the 'tools' parameter.", "tool_choice", ""));
    EXPECT_THAT(chat(tool + R"({"type":"function"})"), HasSubstr("'tool_choice.function'."));
    EXPECT_THAT(chat(tool + R"("always")"),
                told("Invalid value: 'always'. Supported values are: 'none', 'auto', and 'required'.",
                     "tool_choice", "invalid_value"));
    EXPECT_THAT(
        response(R"(,"tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"g"})"),
        HasSubstr("Tool choice 'g' not found in 'tools' parameter."));
}

TEST(BodyRules, EmbeddingsHaveAnInput) {
    const auto invalid = HasSubstr("'$.input' is invalid. Please check the API reference");
    EXPECT_THAT(embedding(R"("input":"")"), invalid);
    EXPECT_THAT(embedding(R"("input":[])"), invalid);
    EXPECT_THAT(embedding(R"("input":["a",""])"), invalid);
    EXPECT_THAT(embedding(R"("input":["a",{"b":1}])"), invalid);
    EXPECT_EQ(embedding(R"("input":[[1,2],[3]])"), "");
    EXPECT_EQ(embedding(R"("input":[1,2,3])"), "");
    std::string words = "word";
    while (words.size() < 8190 * 5) words += " word";
    EXPECT_EQ(embedding(R"("input":")" + words + "\""), "");
    EXPECT_THAT(embedding(R"("input":["a",")" + words + words + "\"]"),
                HasSubstr("This model's maximum context length is 8192 tokens, however you requested"));
}

TEST(BodyRules, DimensionsAreTheModels) {
    const auto dimensions = [](int n, std::string_view model) {
        return embedding(fmt::format(R"("input":"a","dimensions":{})", n), model);
    };
    EXPECT_EQ(dimensions(1536, "text-embedding-3-small"), "");
    EXPECT_THAT(dimensions(1537, "text-embedding-3-small"), HasSubstr("Must be less than or equal to 1536."));
    EXPECT_EQ(dimensions(3072, "text-embedding-3-large"), "");
    EXPECT_THAT(dimensions(4000, "text-embedding-3-large"), HasSubstr("Must be less than or equal to 3072."));
    EXPECT_THAT(dimensions(0, "text-embedding-3-large"), HasSubstr("integer_below_min_value"));
}

TEST(BodyRules, ResponsesSayWhereAnArgumentWent) {
    const auto moved = [](std::string_view old, std::string_view now) {
        return told(
            fmt::format("Unsupported parameter: '{}'. In the Responses API, this parameter has moved to "
                        "'{}'. Try again with the new parameter.",
                        old, now),
            "", "unsupported_parameter");
    };
    EXPECT_THAT(response(R"(,"max_tokens":20)"), moved("max_tokens", "max_output_tokens"));
    EXPECT_THAT(response(R"(,"response_format":{"type":"text"})"), moved("response_format", "text.format"));
    EXPECT_THAT(refusal(Operation::responses, "gpt-4o", R"({"messages":[{"role":"user","content":"a"}]})"),
                moved("messages", "input"));
    EXPECT_THAT(response(R"(,"thinking":1)"),
                told("Unknown parameter: 'thinking'.", "thinking", "unknown_parameter"));
}

TEST(BodyRules, ThinkingModelsAreNotSteered) {
    const std::string tool =
        R"(,"tools":[{"type":"function","function":{"name":"f"}}],"parallel_tool_calls":false)";
    const auto unsupported = [](std::string_view name) {
        return told(fmt::format("Unsupported parameter: '{}' is not supported with this model.", name), name,
                    "unsupported_parameter");
    };
    EXPECT_THAT(chat(R"(,"stop":"x")", "o3-mini"), unsupported("stop"));
    EXPECT_THAT(chat(R"(,"logprobs":true)", "o4-mini"), unsupported("logprobs"));
    EXPECT_THAT(chat(R"(,"frequency_penalty":1)", "gpt-5"), unsupported("frequency_penalty"));
    EXPECT_THAT(chat(tool, "o3-mini"), unsupported("parallel_tool_calls"));
    EXPECT_EQ(chat(tool, "gpt-5"), "");
    EXPECT_EQ(chat(tool + R"(,"stop":"x")", "gpt-4o"), "");
    EXPECT_THAT(response(R"(,"reasoning":{"effort":"low"})", "gpt-4o"), unsupported("reasoning.effort"));
    EXPECT_EQ(response(R"(,"reasoning":{"effort":"low"})", "o3-mini"), "");
}

TEST(BodyRules, AModelHasItsWindow) {
    EXPECT_EQ(chat(R"(,"max_tokens":16384)"), "");
    EXPECT_THAT(
        chat(R"(,"max_tokens":20000)"),
        told("max_tokens is too large: 20000. This model supports at most 16384 completion tokens, whereas "
             "you provided 20000.",
             "max_tokens", "invalid_value"));
    EXPECT_EQ(chat(R"(,"max_tokens":20000)", "my-own"), "");
    EXPECT_THAT(chat(R"(,"max_tokens":8192)", "gpt-4"),
                told("This model's maximum context length is 8192 tokens. However, you requested", "messages",
                     "context_length_exceeded"));
    std::string words = "word";
    while (words.size() < 8200 * 5) words += " word";
    const std::string ask = R"({"role":"user","content":")" + words + "\"}";
    EXPECT_THAT(messages(ask, "gpt-4"),
                told("However, your messages resulted in", "messages", "context_length_exceeded"));
    EXPECT_EQ(messages(ask, "gpt-4o"), "");
    EXPECT_THAT(response(R"(,"max_output_tokens":20000)"),
                HasSubstr("Expected a value <= 16384, but got 20000"));
    EXPECT_THAT(
        refusal(Operation::completions, "gpt-35-turbo-instruct", R"({"prompt":"a","max_tokens":4097})"),
        HasSubstr("maximum context length is 4097 tokens, however you requested"));
}

}  // namespace
}  // namespace spillway::emulator
