#include "emulator/body_members.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace spillway::emulator {
namespace {

using simdjson::dom::element;

enum Type : std::uint8_t {
    text = 1,
    flag = 2,
    integer = 4,
    decimal = 8,  // and integers
    object = 16,
    objects = 32,  // a list of them
    texts = 64,    // a list of them
    list = 128,    // of whatever
};

struct Member {
    std::string_view name;
    unsigned types;
    std::string_view values = {};  // a text is one of these; a space between
    std::string_view expected = {};
};

constexpr std::string_view kTiers = "auto default flex scale priority fast";
constexpr std::string_view kLevels = "low medium high";
constexpr std::string_view kEfforts = "none minimal low medium high xhigh max";
constexpr std::string_view kChoices = "none auto required";
constexpr unsigned anything = 255;

constexpr std::array<Member, 40> kChat{{
    {"messages", objects},
    {"model", text},
    {"temperature", decimal},
    {"top_p", decimal},
    {"stream", flag},
    {"stream_options", object},
    {"stop", text | texts},
    {"max_tokens", integer},
    {"max_completion_tokens", integer},
    {"presence_penalty", decimal},
    {"frequency_penalty", decimal},
    {"logit_bias", object},
    {"user", text},
    {"n", integer},
    {"seed", integer},
    {"logprobs", flag},
    {"top_logprobs", integer},
    {"response_format", object},
    {"tools", objects},
    {"tool_choice", text | object, kChoices},
    {"parallel_tool_calls", flag},
    {"functions", objects},
    {"function_call", text | object, "none auto"},
    {"data_sources", objects},
    {"reasoning_effort", text, kEfforts},
    {"user_security_context", object},
    {"modalities", texts},
    {"audio", object},
    {"prediction", object},
    {"store", flag},
    {"metadata", object, {}, "a metadata object"},
    {"service_tier", text, kTiers},
    {"verbosity", text, kLevels},
    {"web_search_options", object},
    {"safety_identifier", text},
    {"prompt_cache_key", text},
    {"prompt_cache_retention", text, "in_memory 24h"},
    {"prompt_cache_options", object},
    {"moderation", object},
    {"enhancements", object},
}};
constexpr std::array<Member, 18> kCompletions{{
    {"prompt", text | list},
    {"model", text},
    {"max_tokens", integer},
    {"temperature", decimal},
    {"top_p", decimal},
    {"logit_bias", object},
    {"user", text},
    {"n", integer},
    {"stream", flag},
    {"stream_options", object},
    {"logprobs", integer},
    {"suffix", text},
    {"echo", flag},
    {"stop", text | texts},
    {"presence_penalty", decimal},
    {"frequency_penalty", decimal},
    {"best_of", integer},
    {"seed", integer},
}};
constexpr std::array<Member, 6> kEmbeddings{{
    {"input", text | list},
    {"model", text},
    {"user", text},
    {"dimensions", integer},
    {"encoding_format", text, "float base64"},
    {"input_type", text},
}};
constexpr std::array<Member, 33> kResponses{{
    {"input", text | objects, {}, "one of a string or array of input items"},
    {"model", text},
    {"instructions", text},
    {"temperature", decimal},
    {"top_p", decimal},
    {"top_logprobs", integer},
    {"stream", flag},
    {"stream_options", object},
    {"user", text},
    {"store", flag},
    {"background", flag},
    {"include", texts},
    {"metadata", object, {}, "a metadata object"},
    {"max_output_tokens", integer},
    {"max_tool_calls", integer},
    {"parallel_tool_calls", flag},
    {"previous_response_id", text},
    {"conversation", text | object},
    {"prompt", object},
    {"reasoning", object},
    {"text", object},
    {"tools", objects},
    {"tool_choice", text | object, kChoices},
    {"truncation", text, "auto disabled"},
    {"service_tier", text, kTiers},
    {"safety_identifier", text},
    {"prompt_cache_key", text},
    {"prompt_cache_retention", text, "in_memory 24h"},
    {"prompt_cache_options", object},
    {"moderation", object},
    {"context_management", objects},
    // The service takes these two although the description leaves them out.
    {"presence_penalty", decimal},
    {"frequency_penalty", decimal},
}};

std::span<const Member> members_of(Operation operation) noexcept {
    switch (operation) {
        case Operation::chat:
            return kChat;
        case Operation::completions:
            return kCompletions;
        case Operation::embeddings:
            return kEmbeddings;
        case Operation::responses:
            break;
    }
    return kResponses;
}

const Member* member_named(Operation operation, std::string_view name) noexcept {
    for (const Member& m : members_of(operation))
        if (m.name == name) return &m;
    return nullptr;
}

/// "a string", "one of a string or array of strings", "one of 'auto' or 'disabled'".
std::string expected_of(const Member& m) {
    if (!m.expected.empty()) return std::string(m.expected);
    std::string first;
    if (!m.values.empty())
        first = "one of " + quoted_names(m.values, "or");
    else if ((m.types & text) != 0)
        first = "a string";
    constexpr std::array<std::pair<unsigned, std::string_view>, 7> names{{{flag, "a boolean"},
                                                                          {integer, "an integer"},
                                                                          {decimal, "a decimal"},
                                                                          {object, "an object"},
                                                                          {objects, "an array of objects"},
                                                                          {texts, "an array of strings"},
                                                                          {list, "an array"}}};
    for (const auto& [type, name] : names) {
        if ((m.types & type) == 0) continue;
        if (first.empty()) return std::string(name);
        return fmt::format("one of {} or {}", first, name.substr(name.find(' ') + 1));
    }
    return first;
}

unsigned types_of(const element& value) noexcept {
    using simdjson::dom::element_type;
    switch (value.type()) {
        case element_type::STRING:
            return text;
        case element_type::BOOL:
            return flag;
        case element_type::INT64:
        case element_type::UINT64:
            return integer | decimal;
        case element_type::DOUBLE:
            return decimal;
        case element_type::OBJECT:
            return object;
        case element_type::ARRAY:
            return objects | texts | list;
        default:
            return anything;  // null is as good as left out
    }
}

BodyFault item_fault(const Member& m, const simdjson::dom::array& items) {
    if ((m.types & list) != 0) return {};
    const bool of_texts = (m.types & texts) != 0;
    std::size_t i = 0;
    for (const element item : items) {
        if (of_texts ? !item.is_string() : !item.is_object()) {
            const std::string_view expected = of_texts            ? "a string"
                                              : m.name == "input" ? "an input item"
                                                                  : "an object";
            return wrong_type(fmt::format("{}[{}]", m.name, i), expected, item);
        }
        ++i;
    }
    return {};
}

/// How much a token is wanted: -100 to 100.
BodyFault bias_fault(const simdjson::dom::object& biases) {
    constexpr double most = 100;
    for (const auto field : biases) {
        double bias = 0;
        const std::string place = fmt::format("logit_bias.{}", field.key);
        if (field.value.get(bias) != simdjson::SUCCESS) return wrong_type(place, "an integer", field.value);
        if (bias >= -most && bias <= most) continue;
        const bool small = bias < 0;
        return beyond_bound(place, "integer", small, fmt::format("{}", small ? -most : most),
                            simdjson::minify(field.value));
    }
    return {};
}

/// Of `reasoning` and `text`, which hold more arguments of the Responses API.
BodyFault inner_fault(std::string_view name, const element& holder) {
    const auto check = [&](std::string_view key, std::string_view values) -> BodyFault {
        element value;
        if (holder[key].get(value) != simdjson::SUCCESS || value.is_null()) return {};
        const std::string place = fmt::format("{}.{}", name, key);
        std::string_view said;
        if (value.get(said) != simdjson::SUCCESS)
            return wrong_type(place, "one of " + quoted_names(values, "or"), value);
        return is_among(values, said) ? BodyFault{} : wrong_value(place, said, values);
    };
    if (name == "text") return check("verbosity", kLevels);
    if (auto no = check("effort", kEfforts)) return no;
    return check("summary", "concise detailed auto");
}

BodyFault member_fault(const Member& m, const element& value) {
    if ((types_of(value) & m.types) == 0) return wrong_type(m.name, expected_of(m), value);
    if (std::string_view said; !m.values.empty() && value.get(said) == simdjson::SUCCESS)
        return is_among(m.values, said) ? BodyFault{} : wrong_value(m.name, said, m.values);
    if (simdjson::dom::array items; value.get(items) == simdjson::SUCCESS) return item_fault(m, items);
    if (simdjson::dom::object biases; m.name == "logit_bias" && value.get(biases) == simdjson::SUCCESS)
        return bias_fault(biases);
    if (value.is_object() && (m.name == "reasoning" || m.name == "text")) return inner_fault(m.name, value);
    return {};
}

}  // namespace

bool is_known(Operation operation, std::string_view argument) noexcept {
    return member_named(operation, argument) != nullptr;
}

std::string_view moved_to(std::string_view argument) noexcept {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> moved{
        {{"messages", "input"},
         {"max_tokens", "max_output_tokens"},
         {"max_completion_tokens", "max_output_tokens"},
         {"response_format", "text.format"},
         {"reasoning_effort", "reasoning.effort"},
         {"verbosity", "text.verbosity"}}};
    for (const auto& [old, now] : moved)
        if (old == argument) return now;
    return {};
}

BodyFault type_fault(Operation operation, const simdjson::dom::object& body) {
    for (const auto field : body)
        if (const Member* m = member_named(operation, field.key); m != nullptr)
            if (auto no = member_fault(*m, field.value)) return no;
    return {};
}

}  // namespace spillway::emulator
