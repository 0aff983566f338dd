#include "emulator/arguments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/strings.hpp"

namespace spillway::emulator {
namespace {

constexpr std::size_t kMostInputs = 2048;

constexpr std::array<std::string_view, 38> kChat{"messages",
                                                 "model",
                                                 "temperature",
                                                 "top_p",
                                                 "stream",
                                                 "stream_options",
                                                 "stop",
                                                 "max_tokens",
                                                 "max_completion_tokens",
                                                 "presence_penalty",
                                                 "frequency_penalty",
                                                 "logit_bias",
                                                 "user",
                                                 "n",
                                                 "seed",
                                                 "logprobs",
                                                 "top_logprobs",
                                                 "response_format",
                                                 "tools",
                                                 "tool_choice",
                                                 "parallel_tool_calls",
                                                 "functions",
                                                 "function_call",
                                                 "data_sources",
                                                 "reasoning_effort",
                                                 "user_security_context",
                                                 "modalities",
                                                 "audio",
                                                 "prediction",
                                                 "store",
                                                 "metadata",
                                                 "service_tier",
                                                 "verbosity",
                                                 "web_search_options",
                                                 "safety_identifier",
                                                 "prompt_cache_key",
                                                 "prompt_cache_retention",
                                                 "enhancements"};
constexpr std::array<std::string_view, 18> kCompletions{
    "prompt", "model", "max_tokens",       "temperature",       "top_p",    "logit_bias",
    "user",   "n",     "stream",           "stream_options",    "logprobs", "suffix",
    "echo",   "stop",  "presence_penalty", "frequency_penalty", "best_of",  "seed"};
constexpr std::array<std::string_view, 6> kEmbeddings{"input",      "model",           "user",
                                                      "dimensions", "encoding_format", "input_type"};

bool is_in(std::span<const std::string_view> names, std::string_view name) noexcept {
    return std::find(names.begin(), names.end(), name) != names.end();
}

ErrorAnswer refused(std::string_view message, std::string_view param, std::string_view code) {
    return invalid_request(message, param, code);
}

bool gives(const Arguments& a, std::string_view name) {
    return std::find(a.given.begin(), a.given.end(), name) != a.given.end();
}

std::optional<ErrorAnswer> sampling_fault(std::string_view name, const std::string& written, double most,
                                          double least = 0) {
    if (written.empty()) return std::nullopt;
    const auto value = parse_double(written);
    // With an exponent as well, which parse_double() does not read; `true` is none.
    const bool number =
        value.has_value() || std::string_view("-0123456789").find(written.front()) != std::string_view::npos;
    if (!number)
        return refused(
            fmt::format("Invalid type for '{}': expected a decimal, but got something else instead.", name),
            name, "invalid_type");
    if (value && *value > most)
        return refused(
            fmt::format("Invalid '{}': decimal above maximum value. Expected a value <= {}, but got {} "
                        "instead.",
                        name, most, written),
            name, "decimal_above_max_value");
    if (value && *value < least)
        return refused(
            fmt::format("Invalid '{}': decimal below minimum value. Expected a value >= {}, but got {} "
                        "instead.",
                        name, least, written),
            name, "decimal_below_min_value");
    return std::nullopt;
}

/// Models that think have no other sampling than their own.
std::optional<ErrorAnswer> default_only(const Arguments& a) {
    for (const auto& [name, written] :
         {std::pair{"temperature", a.temperature}, std::pair{"top_p", a.top_p}}) {
        const auto value = parse_double(written);
        if (written.empty() || (value && *value == 1)) continue;
        return refused(
            fmt::format("Unsupported value: '{}' does not support {} with this model. Only the default "
                        "(1) value is supported.",
                        name, written),
            name, "unsupported_value");
    }
    return std::nullopt;
}

std::optional<ErrorAnswer> reasoning_fault(const Arguments& a) {
    if (gives(a, "max_tokens"))
        return refused(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens", "unsupported_parameter");
    for (const std::string_view name :
         {"presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias"})
        if (gives(a, name))
            return refused(fmt::format("Unsupported parameter: '{}' is not supported with this model.", name),
                           name, "unsupported_parameter");
    return default_only(a);
}

std::optional<ErrorAnswer> count_fault(std::string_view name, const std::string& written, std::int64_t most,
                                       std::int64_t least = 1) {
    if (written.empty()) return std::nullopt;
    const auto n = parse_int<std::int64_t>(written);
    if (!n)
        return refused(
            fmt::format("Invalid type for '{}': expected an integer, but got something else instead.", name),
            name, "invalid_type");
    if (*n >= least && *n <= most) return std::nullopt;
    const bool small = *n < least;
    return refused(
        fmt::format("Invalid '{}': integer {} value. Expected a value {} {}, but got {} instead.", name,
                    small ? "below minimum" : "above maximum", small ? ">=" : "<=", small ? least : most, *n),
        name, small ? "integer_below_min_value" : "integer_above_max_value");
}

/// What only makes sense with something else, and counts.
std::optional<ErrorAnswer> together_fault(const ModelRequest& request) {
    const Arguments& a = request.arguments;
    if (!a.fault.message.empty()) return refused(a.fault.message, a.fault.param, a.fault.code);
    if (a.no_tools) return refused("[] is too short - 'tools'", "", "");
    for (const std::string_view name : {"tool_choice", "parallel_tool_calls"})
        if (gives(a, name) && !gives(a, "tools"))
            return refused(
                fmt::format("Invalid value for '{0}': '{0}' is only allowed when 'tools' are specified.",
                            name),
                name, "");
    if (gives(a, "stream_options") && !request.stream)
        return refused("The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                       "stream_options", "");
    if (gives(a, "top_logprobs") && a.logprobs != "true")
        return refused("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
                       "top_logprobs", "");
    return count_fault("top_logprobs", a.top_logprobs, 20, 0);
}

/// How many answers, how long, until which words: alike for chats and completions.
std::optional<ErrorAnswer> extent_fault(const Arguments& a, std::int64_t least_tokens) {
    constexpr std::size_t most_stops = 4;
    if (a.stops > most_stops)
        return refused(
            fmt::format("Invalid 'stop': array too long. Expected an array with maximum length {}, but got "
                        "an array with length {} instead.",
                        most_stops, a.stops),
            "stop", "array_above_max_length");
    if (auto no = count_fault("n", a.n, 128)) return no;
    return count_fault(gives(a, "max_tokens") ? "max_tokens" : "max_completion_tokens", a.limit,
                       1'000'000'000, least_tokens);
}

}  // namespace

bool is_known(Operation operation, std::string_view argument) noexcept {
    switch (operation) {
        case Operation::chat:
            return is_in(kChat, argument);
        case Operation::completions:
            return is_in(kCompletions, argument);
        case Operation::embeddings:
            return is_in(kEmbeddings, argument);
        case Operation::responses:
            break;  // its arguments still grow with each month
    }
    return true;
}

std::optional<ErrorAnswer> argument_fault(const ModelRequest& request, std::string_view model) {
    const Operation operation = request.operation;
    const Arguments& a = request.arguments;
    if (!a.unknown.empty())
        return refused(fmt::format("Unrecognized request argument{} supplied: {}",
                                   a.unknown.size() == 1 ? "" : "s", fmt::join(a.unknown, ", ")),
                       "", "");
    if (operation == Operation::embeddings && request.inputs.size() > kMostInputs)
        return refused(fmt::format("Too many inputs. The max number of inputs is {}.", kMostInputs), "", "");
    if (operation == Operation::embeddings) {
        if (gives(a, "dimensions") && model == "text-embedding-ada-002")
            return refused("This model does not support specifying dimensions.", "", "");
        return std::nullopt;
    }
    if (auto no = sampling_fault("temperature", a.temperature, 2)) return no;
    if (auto no = sampling_fault("top_p", a.top_p, 1)) return no;
    if (auto no = sampling_fault("presence_penalty", a.presence_penalty, 2, -2)) return no;
    if (auto no = sampling_fault("frequency_penalty", a.frequency_penalty, 2, -2)) return no;
    if (operation == Operation::responses) {
        constexpr std::int64_t least_output = 16;
        if (auto no = count_fault("max_output_tokens", a.limit, 1'000'000'000, least_output)) return no;
        return is_reasoning(model) ? default_only(a) : std::nullopt;
    }
    if (operation == Operation::completions) return extent_fault(a, 0);
    if (auto no = together_fault(request)) return no;
    if (auto no = extent_fault(a, 1)) return no;
    if (gives(a, "max_tokens") && gives(a, "max_completion_tokens"))
        return refused("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
                       "max_tokens", "invalid_parameter_combination");
    if (is_reasoning(model))
        if (auto no = reasoning_fault(a)) return no;
    if (!is_reasoning(model) && gives(a, "reasoning_effort"))
        return refused("Unrecognized request argument supplied: reasoning_effort", "", "");
    if (a.json_object && !a.says_json)
        return refused(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
            "'json_object'.",
            "messages", "");
    return std::nullopt;
}

bool is_reasoning(std::string_view model) noexcept {
    const bool o_series = model.size() > 1 && model[0] == 'o' && model[1] >= '1' && model[1] <= '9';
    const bool gpt5 = model.starts_with("gpt-5") && model.find("chat") == std::string_view::npos;
    return o_series || gpt5 || model.starts_with("codex-mini");
}

bool completes(std::string_view model) noexcept {
    if (model.find("instruct") != std::string_view::npos) return true;
    constexpr std::array<std::string_view, 4> chat{"gpt-", "chatgpt-", "codex-", "model-router"};
    return !is_reasoning(model) && std::none_of(chat.begin(), chat.end(), [&](std::string_view start) {
        return model.starts_with(start);
    });
}

bool is_released(std::string_view version) noexcept {
    constexpr std::array<std::string_view, 27> released{"preview",
                                                        "latest",
                                                        "2022-12-01",
                                                        "2023-03-15-preview",
                                                        "2023-05-15",
                                                        "2023-06-01-preview",
                                                        "2023-07-01-preview",
                                                        "2023-08-01-preview",
                                                        "2023-09-01-preview",
                                                        "2023-10-01-preview",
                                                        "2023-12-01-preview",
                                                        "2024-02-01",
                                                        "2024-02-15-preview",
                                                        "2024-03-01-preview",
                                                        "2024-04-01-preview",
                                                        "2024-05-01-preview",
                                                        "2024-06-01",
                                                        "2024-07-01-preview",
                                                        "2024-08-01-preview",
                                                        "2024-09-01-preview",
                                                        "2024-10-01-preview",
                                                        "2024-10-21",
                                                        "2024-12-01-preview",
                                                        "2025-01-01-preview",
                                                        "2025-02-01-preview",
                                                        "2025-03-01-preview",
                                                        "2025-04-01-preview"};
    return is_in(released, version);
}

}  // namespace spillway::emulator
