#pragma once
/// Token counts of an answer. Chat, completions and embeddings call them prompt_tokens and
/// completion_tokens, the Responses API input_tokens and output_tokens (OpenAI API reference).
/// Thread rule: plain values and free functions.
#include <cstdint>
#include <optional>
#include <string_view>

namespace spillway::api {

struct Usage {
    std::uint64_t prompt = 0;
    std::uint64_t completion = 0;
    std::uint64_t total = 0;      ///< as told, else prompt + completion
    std::uint64_t cached = 0;     ///< part of prompt: {prompt,input}_tokens_details.cached_tokens
    std::uint64_t reasoning = 0;  ///< part of completion: …_tokens_details.reasoning_tokens

    friend bool operator==(const Usage&, const Usage&) = default;
};

/// The `usage` object at the top level of a non-streamed answer; nothing if there is none (or it is null,
/// or the body is not JSON). Looks from the tail, where servers write it; an embeddings answer of a
/// megabyte costs a few hundred bytes of reading. Falls back to a full parse. Copies the object only.
[[nodiscard]] std::optional<Usage> find_usage(std::string_view body);

/// A `usage` object by itself, as JSON text: nothing if it is no object or names no token count.
[[nodiscard]] std::optional<Usage> parse_usage(std::string_view object);

}  // namespace spillway::api
