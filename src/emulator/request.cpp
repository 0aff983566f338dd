#include "emulator/request.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "emulator/body_members.hpp"
#include "emulator/message_rules.hpp"
#include "emulator/prefix_cache.hpp"
#include "emulator/schema_rules.hpp"
#include "emulator/schema_value.hpp"
#include "emulator/tokens.hpp"

namespace spillway::emulator {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

// OpenAI's own counting: 3 tokens around each message, 3 to prime the answer (their cookbook).
constexpr std::size_t tokens_per_message = 3;
constexpr std::size_t tokens_to_prime = 3;
constexpr std::string_view invalid_input =
    "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.";

std::size_t number(const element& e, std::string_view key, std::size_t otherwise) {
    std::uint64_t n = 0;
    return e[key].get(n) == simdjson::SUCCESS ? static_cast<std::size_t>(n) : otherwise;
}
bool flag(const element& e, std::string_view key) {
    bool b = false;
    return e[key].get(b) == simdjson::SUCCESS && b;
}

/// A string, or the "text" of all parts of a content list.
std::string content_text(const element& content) {
    std::string_view plain;
    if (content.get(plain) == simdjson::SUCCESS) return std::string(plain);
    std::string out;
    array parts;
    if (content.get(parts) == simdjson::SUCCESS)
        for (const element part : parts) out += text_of(part, "text");
    return out;
}

/// Unicode characters: Azure's estimate counts those, not bytes.
std::size_t characters(std::string_view s) noexcept {
    return static_cast<std::size_t>(std::count_if(
        s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void count(ModelRequest& r, std::string_view s) {
    for (std::string_view rest = s; !rest.empty();) {
        const std::size_t n = token_length(rest);
        r.prompt_hash = fnv1a(rest.substr(0, n), r.prompt_hash);
        rest.remove_prefix(n);
        ++r.prompt_tokens;
        const std::size_t have = ++r.text_tokens;
        if (have >= PrefixCache::first_tokens &&
            (have - PrefixCache::first_tokens) % PrefixCache::step_tokens == 0)
            r.prefixes.push_back(r.prompt_hash);
    }
    r.prompt_chars += characters(s);
    if (s.find(filter_mark) != std::string_view::npos) r.filtered = true;
}

void read_messages(ModelRequest& r, const array& messages) {
    for (const element m : messages) {
        r.prompt_tokens += tokens_per_message;
        const std::string_view type = text_of(m, "type");
        element content;
        std::string said;
        if (m["content"].get(content) == simdjson::SUCCESS) said = content_text(content);
        if (type == "reasoning") {
            const std::string_view sealed = text_of(m, "encrypted_content");
            if (!sealed.empty()) r.seals.emplace_back(sealed);
            continue;
        }
        if (type == "function_call_output") said = std::string(text_of(m, "output"));
        count(r, said);
        const std::string_view role = text_of(m, "role");
        r.after_tool = role == "tool" || role == "function" || type == "function_call_output";
        if (r.after_tool)
            r.tool_result = std::move(said);
        else if (role == "user")
            r.question = std::move(said);
    }
    r.prompt_tokens += tokens_to_prime;
}

/// A number as it was written, a text in quotes.
std::string written(const element& root, std::string_view key) {
    element value;
    if (root[key].get(value) != simdjson::SUCCESS || value.is_null()) return {};
    return simdjson::minify(value);
}

/// The first of all that is wrong whatever the model.
BodyFault body_fault(Operation operation, const element& root) {
    if (auto no = type_fault(operation, root)) return no;
    array list;
    if (operation == Operation::chat && root["messages"].get(list) == simdjson::SUCCESS)
        if (auto no = message_fault(list)) return no;
    if (operation == Operation::responses && root["input"].get(list) == simdjson::SUCCESS) {
        const bool continues = has_member(root, "previous_response_id") || has_member(root, "conversation");
        if (auto no = input_fault(list, continues)) return no;
    }
    if (operation != Operation::chat && operation != Operation::responses) return {};
    if (auto no = tools_fault(operation, root)) return no;
    return format_fault(operation, root);
}

void read_arguments(ModelRequest& r, const element& root) {
    auto& a = r.arguments;
    for (const auto field : simdjson::dom::object(root)) {
        if (!is_known(r.operation, field.key)) a.unknown.emplace_back(field.key);
        if (!field.value.is_null()) a.given.emplace_back(field.key);
    }
    a.presence_penalty = written(root, "presence_penalty");
    a.frequency_penalty = written(root, "frequency_penalty");
    a.n = written(root, "n");
    for (const std::string_view key : {"max_output_tokens", "max_completion_tokens", "max_tokens"})
        if (has_member(root, key)) a.limit = written(root, key);
    a.logprobs = written(root, "logprobs");
    a.top_logprobs = written(root, "top_logprobs");
    array list;
    if (root["stop"].get(list) == simdjson::SUCCESS) a.stops = list.size();
    a.no_tools = root["tools"].get(list) == simdjson::SUCCESS && list.size() == 0;
    a.fault = body_fault(r.operation, root);
    for (const std::string_view key : {"messages", "input"})
        if (root[key].get(list) == simdjson::SUCCESS) a.picture = first_picture(list);
    element reasoning;
    a.reasoning_effort = text_of(root, "reasoning_effort");
    if (root["reasoning"].get(reasoning) == simdjson::SUCCESS)
        a.reasoning_effort = text_of(reasoning, "effort");
    a.truncates = text_of(root, "truncation") == "auto";
    std::sort(a.unknown.begin(), a.unknown.end());
    a.temperature = written(root, "temperature");
    a.top_p = written(root, "top_p");
    element format;
    element messages;
    a.json_object =
        root["response_format"].get(format) == simdjson::SUCCESS && text_of(format, "type") == "json_object";
    a.says_json = a.json_object && root["messages"].get(messages) == simdjson::SUCCESS &&
                  lowered(simdjson::minify(messages)).find("json") != std::string::npos;
}

/// The question names the tool ("get_weather", or a telling word of it, "weather").
bool asks_for(std::string_view question, std::string_view tool) {
    const std::string lower = lowered(question);
    if (tool.empty()) return false;
    if (lower.find(tool) != std::string::npos) return true;
    while (!tool.empty()) {
        const std::size_t end = tool.find_first_of("_-");
        const std::string_view word = tool.substr(0, end);
        if (word.size() > 3 && lower.find(word) != std::string::npos) return true;
        if (end == std::string_view::npos) break;
        tool.remove_prefix(end + 1);
    }
    return false;
}

void read_tools(ModelRequest& r, const element& root) {
    array tools;
    if (root["tools"].get(tools) != simdjson::SUCCESS) return;
    std::string_view choice = text_of(root, "tool_choice");
    std::string_view named;
    element chosen;
    if (root["tool_choice"].get(chosen) == simdjson::SUCCESS && chosen.is_object()) {
        element function;
        named = chosen["function"].get(function) == simdjson::SUCCESS ? text_of(function, "name")
                                                                      : text_of(chosen, "name");
        choice = "named";
    }
    for (const element tool : tools) {
        element f = tool;  // the Responses API has name and parameters at the top
        element inner;
        if (tool["function"].get(inner) == simdjson::SUCCESS) f = inner;
        const std::string raw = simdjson::minify(f);
        count(r, raw);
        const std::string_view name = text_of(f, "name");
        if (r.tool_call || name.empty() || choice == "none") continue;
        const bool wanted = choice == "required" || (choice == "named" && name == named) ||
                            (choice != "named" && !r.after_tool && asks_for(r.question, name));
        if (!wanted) continue;
        element parameters;
        r.tool_call = ToolCall{std::string(name), f["parameters"].get(parameters) == simdjson::SUCCESS
                                                      ? value_for_schema(parameters, r.question)
                                                      : "{}"};
    }
}

void read_format(ModelRequest& r, const element& root) {
    element format;
    if (root["response_format"].get(format) != simdjson::SUCCESS) {
        element outer;
        if (root["text"].get(outer) != simdjson::SUCCESS || outer["format"].get(format) != simdjson::SUCCESS)
            return;
    }
    const std::string_view type = text_of(format, "type");
    if (type == "json_object") r.json_answer = fmt::format(R"({{"answer":{}}})", json_quoted(r.question));
    if (type != "json_schema") return;
    element holder = format;
    element inner;
    if (format["json_schema"].get(inner) == simdjson::SUCCESS) holder = inner;
    if (holder["schema"].get(inner) == simdjson::SUCCESS) r.json_answer = value_for_schema(inner, r.question);
}

Error missing(std::string_view name) {
    return fail(fmt::format("'{}' is a required property", name));
}

/// A text, or a list of tokens.
void read_input(ModelRequest& r, const element& input) {
    std::string_view said;
    array tokens;
    const bool plain = input.get(said) == simdjson::SUCCESS;
    r.inputs.push_back(plain ? std::string(said) : simdjson::minify(input));
    const std::size_t before = r.text_tokens;
    count(r, r.inputs.back());
    std::size_t size = r.text_tokens - before;
    const bool listed = input.get(tokens) == simdjson::SUCCESS;
    if (listed) size = tokens.size();
    r.arguments.longest_input = std::max(r.arguments.longest_input, size);
    // A list that was not read has no begin().
    const bool whole = plain || (listed && std::all_of(tokens.begin(), tokens.end(),
                                                       [](const element& t) { return t.is_uint64(); }));
    if (!r.arguments.fault && (size == 0 || !whole)) r.arguments.fault = {std::string(invalid_input), "", ""};
}

Result<void> read_inputs(ModelRequest& r, const element& root) {
    constexpr std::size_t most_numbers = 3072 * 2048;
    element input;
    if (root["input"].get(input) != simdjson::SUCCESS) return missing("input");
    array many;
    const bool several = input.get(many) == simdjson::SUCCESS;
    if (input.is_string() || (several && many.size() > 0 && many.at(0).is_uint64()))
        read_input(r, input);
    else if (several)
        for (const element e : many) read_input(r, e);
    if (r.inputs.empty()) return fail(std::string(invalid_input));
    r.base64 = text_of(root, "encoding_format") == "base64";
    r.dimensions = number(root, "dimensions", 0);
    // Far more than any model has, and not more than can be sent.
    if (r.dimensions > 16384 || r.dimensions * r.inputs.size() > most_numbers)
        return fail(fmt::format("Invalid value for 'dimensions' = {}.", r.dimensions));
    return {};
}

Result<void> read_by_operation(ModelRequest& r, const element& root) {
    array list;
    element e;
    switch (r.operation) {
        case Operation::embeddings:
            return read_inputs(r, root);
        case Operation::chat:
            if (!has_member(root, "messages")) return missing("messages");
            if (root["messages"].get(list) != simdjson::SUCCESS)
                return fail(wrong_type("messages", "an array of objects", root["messages"]).message);
            if (list.size() == 0) return fail("[] is too short - 'messages'");
            read_messages(r, list);
            break;
        case Operation::responses:
            // Under its name of chats only a lenient resource takes it.
            if (root["input"].get(e) != simdjson::SUCCESS && root["messages"].get(e) != simdjson::SUCCESS)
                return missing("input");
            count(r, text_of(root, "instructions"));
            if (e.get(list) == simdjson::SUCCESS) {
                read_messages(r, list);
            } else {
                r.question = content_text(e);
                count(r, r.question);
                r.prompt_tokens += tokens_per_message + tokens_to_prime;
            }
            break;
        case Operation::completions:
            if (root["prompt"].get(e) == simdjson::SUCCESS) {
                std::string_view s;
                if (e.get(list) == simdjson::SUCCESS && list.size() > 0 &&
                    list.at(0).get(s) == simdjson::SUCCESS)
                    r.question = std::string(s);
                else
                    r.question = content_text(e);
            }
            count(r, r.question);
            break;
    }
    return {};
}

}  // namespace

Result<ModelRequest> read_request(Operation operation, std::string_view body) {
    thread_local simdjson::dom::parser parser;
    element root;
    if (const auto ec = parser.parse(body.data(), body.size(), true).get(root); ec != simdjson::SUCCESS)
        return fail(
            fmt::format("We could not parse the JSON body of your request: {}", simdjson::error_message(ec)));
    if (!root.is_object()) return fail("The body of the request must be a JSON object");
    ModelRequest r;
    r.operation = operation;
    r.model = std::string(text_of(root, "model"));
    read_arguments(r, root);
    r.stream = flag(root, "stream");
    element e;
    if (root["stream_options"].get(e) == simdjson::SUCCESS) r.include_usage = flag(e, "include_usage");
    for (const std::string_view key : {"max_output_tokens", "max_tokens", "max_completion_tokens"})
        r.max_tokens = number(root, key, r.max_tokens);
    if (operation == Operation::completions && r.max_tokens == 0) r.max_tokens = 16;  // the API's default
    r.choices = std::clamp<std::size_t>(number(root, "n", 1), 1, 128);
    r.best_of = std::max(number(root, "best_of", 1), r.choices);
    r.previous_response_id = std::string(text_of(root, "previous_response_id"));
    if (bool b = true; root["store"].get(b) == simdjson::SUCCESS) r.store = b;
    array list;
    if (root["include"].get(list) == simdjson::SUCCESS)
        for (const element what : list)
            if (std::string_view v; what.get(v) == simdjson::SUCCESS && v == "reasoning.encrypted_content")
                r.wants_seal = true;
    if (!text_of(root, "stop").empty()) r.stop.emplace_back(text_of(root, "stop"));
    if (root["stop"].get(list) == simdjson::SUCCESS)
        for (const element s : list)
            if (std::string_view v; s.get(v) == simdjson::SUCCESS && !v.empty()) r.stop.emplace_back(v);
    if (auto done = read_by_operation(r, root); !done) return done.error();
    if (operation == Operation::chat || operation == Operation::responses) {
        read_tools(r, root);
        read_format(r, root);
    }
    return r;
}

}  // namespace spillway::emulator
