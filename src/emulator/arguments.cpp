#include "emulator/arguments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "emulator/body_members.hpp"
#include "emulator/model_rules.hpp"

namespace spillway::emulator {
namespace {

constexpr std::size_t kMostInputs = 2048;
constexpr std::int64_t kMostTokens = 1'000'000'000;

using Refusal = std::optional<ErrorAnswer>;

Refusal refused(const BodyFault& fault) {
    if (!fault) return std::nullopt;
    return invalid_request(fault.message, fault.param, fault.code);
}

/// Numbers with an exponent are not looked at.
Refusal sampling_fault(std::string_view name, const std::string& written, double most, double least = 0) {
    const auto value = parse_double(written);
    if (!value || (*value >= least && *value <= most)) return std::nullopt;
    const bool small = *value < least;
    return refused(beyond_bound(name, "decimal", small, fmt::format("{}", small ? least : most), written));
}

Refusal count_fault(std::string_view name, const std::string& written, std::int64_t most,
                    std::int64_t least = 1) {
    if (written.empty()) return std::nullopt;
    const auto n = parse_int<std::int64_t>(written);
    if (n && *n >= least && *n <= most) return std::nullopt;
    const bool small = n && *n < least;
    return refused(beyond_bound(name, "integer", small, fmt::format("{}", small ? least : most), written));
}

/// What the operation does not have, or has under another name.
Refusal unknown_fault(const ModelRequest& request) {
    const Arguments& a = request.arguments;
    if (a.unknown.empty()) return std::nullopt;
    if (request.operation != Operation::responses)
        return invalid_request(fmt::format("Unrecognized request argument{} supplied: {}",
                                           a.unknown.size() == 1 ? "" : "s", fmt::join(a.unknown, ", ")),
                               "", "");
    for (const std::string& name : a.unknown)
        if (const std::string_view now = moved_to(name); !now.empty())
            return invalid_request(
                fmt::format("Unsupported parameter: '{}'. In the Responses API, this parameter has moved to "
                            "'{}'. Try again with the new parameter. See the API documentation for more "
                            "information: https://platform.openai.com/docs/api-reference/responses/create.",
                            name, now),
                "", "unsupported_parameter");
    return invalid_request(fmt::format("Unknown parameter: '{}'.", a.unknown.front()), a.unknown.front(),
                           "unknown_parameter");
}

/// What only makes sense with something else, and counts.
Refusal together_fault(const ModelRequest& request) {
    const Arguments& a = request.arguments;
    if (a.no_tools) return invalid_request("[] is too short - 'tools'", "", "");
    for (const std::string_view name : {"tool_choice", "parallel_tool_calls"})
        if (a.gives(name) && !a.gives("tools"))
            return invalid_request(
                fmt::format("Invalid value for '{0}': '{0}' is only allowed when 'tools' are specified.",
                            name),
                name, "");
    if (a.gives("stream_options") && !request.stream)
        return invalid_request("The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                               "stream_options", "");
    if (a.gives("top_logprobs") && a.logprobs != "true")
        return invalid_request("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
                               "top_logprobs", "");
    return count_fault("top_logprobs", a.top_logprobs, 20, 0);
}

/// How many answers, how long, until which words: alike for chats and completions.
Refusal extent_fault(const Arguments& a, std::int64_t least_tokens) {
    constexpr std::size_t most_stops = 4;
    if (a.stops > most_stops) return refused(long_list("stop", most_stops, a.stops));
    if (auto no = count_fault("n", a.n, 128)) return no;
    return count_fault(a.gives("max_tokens") ? "max_tokens" : "max_completion_tokens", a.limit, kMostTokens,
                       least_tokens);
}

Refusal embedding_fault(const ModelRequest& request) {
    if (request.inputs.size() > kMostInputs)
        return invalid_request(fmt::format("Too many inputs. The max number of inputs is {}.", kMostInputs),
                               "", "");
    if (request.arguments.gives("dimensions") && request.dimensions == 0)
        return count_fault("dimensions", "0", kMostTokens);
    return std::nullopt;
}

Refusal chat_fault(const ModelRequest& request) {
    const Arguments& a = request.arguments;
    if (auto no = together_fault(request)) return no;
    if (auto no = extent_fault(a, 1)) return no;
    if (a.gives("max_tokens") && a.gives("max_completion_tokens"))
        return invalid_request(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens", "invalid_parameter_combination");
    if (a.json_object && !a.says_json)
        return invalid_request(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
            "'json_object'.",
            "messages", "");
    return std::nullopt;
}

Refusal range_fault(const ModelRequest& request) {
    constexpr std::int64_t least_output = 16;
    const Arguments& a = request.arguments;
    if (auto no = sampling_fault("temperature", a.temperature, 2)) return no;
    if (auto no = sampling_fault("top_p", a.top_p, 1)) return no;
    if (auto no = sampling_fault("presence_penalty", a.presence_penalty, 2, -2)) return no;
    if (auto no = sampling_fault("frequency_penalty", a.frequency_penalty, 2, -2)) return no;
    switch (request.operation) {
        case Operation::chat:
            return chat_fault(request);
        case Operation::completions:
            return extent_fault(a, 0);
        case Operation::embeddings:
            return embedding_fault(request);
        case Operation::responses:
            break;
    }
    if (auto no = count_fault("top_logprobs", a.top_logprobs, 20, 0)) return no;
    return count_fault("max_output_tokens", a.limit, kMostTokens, least_output);
}

}  // namespace

std::optional<ErrorAnswer> argument_fault(const ModelRequest& request, std::string_view model) {
    if (auto no = unknown_fault(request)) return no;
    if (auto no = refused(request.arguments.fault)) return no;
    if (auto no = range_fault(request)) return no;
    return model_fault(request, model);
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
    return std::find(released.begin(), released.end(), version) != released.end();
}

bool has_responses(std::string_view version) noexcept {
    constexpr std::string_view first = "2025-03-01-preview";
    return version == "preview" || version == "latest" || version >= first;
}

}  // namespace spillway::emulator
