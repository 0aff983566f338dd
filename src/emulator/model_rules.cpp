#include "emulator/model_rules.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

#include "base/strings.hpp"
#include "emulator/model_catalog.hpp"

namespace spillway::emulator {
namespace {

using Refusal = std::optional<ErrorAnswer>;

ErrorAnswer unsupported(std::string_view name) {
    return invalid_request(fmt::format("Unsupported parameter: '{}' is not supported with this model.", name),
                           name, "unsupported_parameter");
}

bool is_o_series(std::string_view model) noexcept {
    return model.starts_with('o');
}

/// Models that think have no other sampling than their own.
Refusal default_only(const Arguments& a) {
    for (const auto& [name, written] :
         {std::pair{"temperature", a.temperature}, std::pair{"top_p", a.top_p}}) {
        const auto value = parse_double(written);
        if (written.empty() || (value && *value == 1)) continue;
        return invalid_request(
            fmt::format("Unsupported value: '{}' does not support {} with this model. Only the default "
                        "(1) value is supported.",
                        name, written),
            name, "unsupported_value");
    }
    return std::nullopt;
}

/// The o series thinks at three levels, gpt-5 at one more, and its successors differ among themselves.
Refusal effort_fault(const ModelRequest& request, std::string_view model) {
    const std::string& effort = request.arguments.reasoning_effort;
    const bool first_gpt5 = model.starts_with("gpt-5") && !model.starts_with("gpt-5.");
    if (effort.empty() || (!is_o_series(model) && !first_gpt5)) return std::nullopt;
    const std::string_view levels = first_gpt5 ? "minimal low medium high" : "low medium high";
    if (is_among(levels, effort)) return std::nullopt;
    const std::string_view name =
        request.operation == Operation::responses ? "reasoning.effort" : "reasoning_effort";
    return invalid_request(fmt::format("Unsupported value: '{}' does not support '{}' with this model. "
                                       "Supported values are: {}.",
                                       name, effort, quoted_names(levels)),
                           name, "unsupported_value");
}

Refusal reasoning_fault(const ModelRequest& request, std::string_view model) {
    const Arguments& a = request.arguments;
    if (request.operation == Operation::chat) {
        if (a.gives("max_tokens"))
            return invalid_request(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                "'max_completion_tokens' instead.",
                "max_tokens", "unsupported_parameter");
        for (const std::string_view name :
             {"presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias", "stop"})
            if (a.gives(name)) return unsupported(name);
        if (a.gives("parallel_tool_calls") && is_o_series(model)) return unsupported("parallel_tool_calls");
    }
    if (auto no = effort_fault(request, model)) return no;
    return default_only(a);
}

Refusal plain_fault(const ModelRequest& request) {
    const Arguments& a = request.arguments;
    if (request.operation == Operation::chat && a.gives("reasoning_effort"))
        return invalid_request("Unrecognized request argument supplied: reasoning_effort", "", "");
    if (request.operation == Operation::responses && !a.reasoning_effort.empty())
        return unsupported("reasoning.effort");
    return std::nullopt;
}

/// In the older words of completions and embeddings.
ErrorAnswer beyond_window(std::size_t window, std::size_t prompt, std::size_t output) {
    return invalid_request(
        fmt::format("This model's maximum context length is {} tokens, however you requested {} tokens ({} "
                    "in your prompt; {} for the completion). Please reduce your prompt; or completion "
                    "length.",
                    window, prompt + output, prompt, output),
        "", "");
}

ErrorAnswer beyond_chat_window(std::size_t window, std::size_t prompt, std::size_t output) {
    const std::string told =
        prompt > window
            ? fmt::format("your messages resulted in {} tokens. Please reduce the length of the messages.",
                          prompt)
            : fmt::format(
                  "you requested {} tokens ({} in the messages, {} in the completion). Please reduce "
                  "the length of the messages or completion.",
                  prompt + output, prompt, output);
    return invalid_request(
        fmt::format("This model's maximum context length is {} tokens. However, {}", window, told),
        "messages", "context_length_exceeded");
}

ErrorAnswer too_much_output(const ModelRequest& request, std::size_t most) {
    if (request.operation == Operation::responses) {
        const BodyFault no = beyond_bound("max_output_tokens", "integer", false, fmt::format("{}", most),
                                          fmt::format("{}", request.max_tokens));
        return invalid_request(no.message, no.param, no.code);
    }
    const std::string_view name =
        request.arguments.gives("max_tokens") ? "max_tokens" : "max_completion_tokens";
    return invalid_request(fmt::format("{0} is too large: {1}. This model supports at most {2} completion "
                                       "tokens, whereas you provided {1}.",
                                       name, request.max_tokens, most),
                           name, "invalid_value");
}

Refusal size_fault(const ModelRequest& request, std::string_view model) {
    const ModelLimits limits = model_limits(model);
    if (limits.window == 0) return std::nullopt;
    const std::size_t prompt = request.prompt_tokens;
    switch (request.operation) {
        case Operation::embeddings:
            if (request.arguments.longest_input > limits.window)
                return beyond_window(limits.window, request.arguments.longest_input, 0);
            return std::nullopt;
        case Operation::completions:
            if (prompt + request.max_tokens > limits.window)
                return beyond_window(limits.window, prompt, request.max_tokens);
            return std::nullopt;
        case Operation::chat:
            if (request.max_tokens > limits.output && limits.output < limits.window)
                return too_much_output(request, limits.output);
            if (prompt + request.max_tokens > limits.window)
                return beyond_chat_window(limits.window, prompt, request.max_tokens);
            return std::nullopt;
        case Operation::responses:
            break;
    }
    if (request.max_tokens > limits.output) return too_much_output(request, limits.output);
    if (prompt > limits.window && !request.arguments.truncates)
        return invalid_request(
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "input", "context_length_exceeded");
    return std::nullopt;
}

Refusal dimension_fault(const ModelRequest& request, std::string_view model) {
    if (!request.arguments.gives("dimensions")) return std::nullopt;
    if (model == "text-embedding-ada-002")
        return invalid_request("This model does not support specifying dimensions.", "", "");
    const std::size_t most = model_facts(model).dimensions;
    if (!model.starts_with("text-embedding-3-") || request.dimensions <= most) return std::nullopt;
    return invalid_request(
        fmt::format("Invalid value for 'dimensions' = {}. Must be less than or equal to {}.",
                    request.dimensions, most),
        "dimensions", "");
}

}  // namespace

std::optional<ErrorAnswer> model_fault(const ModelRequest& request, std::string_view model) {
    const bool talks = request.operation == Operation::chat || request.operation == Operation::responses;
    if (talks) {
        if (auto no = is_reasoning(model) ? reasoning_fault(request, model) : plain_fault(request)) return no;
        const std::string& picture = request.arguments.picture;
        if (!picture.empty() && !model_limits(model).sees)
            return invalid_request("Invalid content type. image_url is only supported by certain models.",
                                   picture, "");
    }
    if (request.operation == Operation::embeddings)
        if (auto no = dimension_fault(request, model)) return no;
    return size_fault(request, model);
}

}  // namespace spillway::emulator
