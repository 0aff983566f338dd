#pragma once
/// The fields of a request body that the emulated model uses, read with simdjson's DOM.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "emulator/body_fault.hpp"
#include "emulator/operation.hpp"
#include "emulator/words.hpp"

namespace spillway::emulator {

struct ToolCall {
    std::string name;
    std::string arguments;  ///< JSON built from the tool's schema
};

/// What was said in a request's body, as far as it can be wrong (emulator/arguments.hpp).
struct Arguments {
    std::vector<std::string> unknown;  ///< in the order of their names
    std::string temperature;           ///< as it was written; empty: not given
    std::string top_p;
    bool json_object = false;
    bool says_json = false;          ///< something in the messages does
    std::vector<std::string> given;  ///< those that are not null
    std::string presence_penalty;    ///< as written, like those that follow
    std::string frequency_penalty;
    std::string n;
    std::string limit;  ///< max_tokens, max_completion_tokens or max_output_tokens
    std::string logprobs;
    std::string top_logprobs;
    std::size_t stops = 0;
    bool no_tools = false;  ///< `tools` is an empty list
    std::string reasoning_effort;
    std::string picture;            ///< where the first one is; empty: none
    std::size_t longest_input = 0;  ///< embeddings: tokens of one input
    bool truncates = false;         ///< Responses API: what is too long is cut
    BodyFault fault;                ///< what is wrong whatever the model

    [[nodiscard]] bool gives(std::string_view name) const noexcept {
        return std::find(given.begin(), given.end(), name) != given.end();
    }
};

struct ModelRequest {
    Operation operation = Operation::chat;
    std::string model;
    std::string question;     ///< the last user message's text (completions: the prompt)
    std::string tool_result;  ///< set when the last message is a tool's result
    bool after_tool = false;
    std::optional<ToolCall> tool_call;  ///< the answer will be this call
    std::string json_answer;            ///< set when response_format asks for JSON
    bool filtered = false;              ///< the prompt has the content filter's mark
    bool stream = false;
    bool include_usage = false;
    std::size_t max_tokens = 0;  ///< 0: not given
    std::size_t choices = 1;     ///< n
    std::size_t best_of = 1;
    std::vector<std::string> stop;
    std::size_t prompt_tokens = 0;
    std::size_t prompt_chars = 0;
    std::vector<std::string> inputs;   ///< embeddings
    std::size_t dimensions = 0;        ///< embeddings; 0: the model's default
    bool base64 = false;               ///< embeddings
    std::string previous_response_id;  ///< Responses API
    std::vector<std::string> seals;    ///< Responses API: encrypted reasoning sent back
    bool wants_seal = false;           ///< Responses API: include encrypted reasoning in the answer
    bool store = true;                 ///< Responses API: the answer can be retrieved later
    /// Hashes of the prompt's first 1,024, 1,152, 1,280 … tokens: for the prompt cache.
    std::vector<std::uint64_t> prefixes;
    std::uint64_t prompt_hash = fnv_begin;
    std::size_t cached_tokens = 0;  ///< set by the resource that answers
    Arguments arguments;
    std::size_t text_tokens = 0;  ///< of prompt_tokens: the text without messages' framing
};

/// The emulated prompt filter refuses any text with this in it.
inline constexpr std::string_view filter_mark = "content_filter";

/// Errors: messages for a 400.
[[nodiscard]] Result<ModelRequest> read_request(Operation operation, std::string_view body);

}  // namespace spillway::emulator
