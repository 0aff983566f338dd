#pragma once
/// An answer's token counts: prompt_tokens and completion_tokens of chat, completions and embeddings,
/// input_tokens and output_tokens of the Responses API (OpenAI API reference).
/// Thread rule: plain values and free functions. Errors: nullopt.
#include <cstdint>
#include <optional>
#include <string_view>

namespace spillway::api {

struct Usage {
    std::uint64_t prompt = 0;
    std::uint64_t completion = 0;
    std::uint64_t total = 0;      ///< as reported, else prompt + completion
    std::uint64_t cached = 0;     ///< part of prompt: {prompt,input}_tokens_details.cached_tokens
    std::uint64_t reasoning = 0;  ///< part of completion: …_tokens_details.reasoning_tokens

    friend bool operator==(const Usage&, const Usage&) = default;
};

/// The `usage` object at the top level of a non-streamed answer; nullopt if there is none (or it is null, or
/// the body is not JSON). Searches from the end, where servers write it, so that for an embeddings answer of
/// a megabyte it reads a few hundred bytes; otherwise parses all of it.
[[nodiscard]] std::optional<Usage> find_usage(std::string_view body);

/// Parses the JSON text of a `usage` object; nullopt if it is not an object or has no token count.
[[nodiscard]] std::optional<Usage> parse_usage(std::string_view object);

}  // namespace spillway::api
