#pragma once
/// A substitute for a model's tokenizer: deterministic, cheap, and close enough in count for quotas.
/// A token is up to four ASCII letters or digits of a word, one other ASCII sign, or one code point beyond
/// ASCII (a Hangul syllable, say); one blank goes with the token behind it, as in BPE vocabularies.
/// The tokens of a text concatenate to the text, so that streamed pieces match the usage reported.
#include <cstddef>
#include <string_view>
#include <vector>

namespace spillway::emulator {

/// Views into `text`. Never cuts a UTF-8 sequence; invalid bytes are tokens of their own.
[[nodiscard]] std::vector<std::string_view> split_tokens(std::string_view text);
/// The number of tokens that split_tokens() returns, without the list.
[[nodiscard]] std::size_t count_tokens(std::string_view text) noexcept;
/// The length in bytes of the first token of `text`, which is not empty.
[[nodiscard]] std::size_t token_length(std::string_view text) noexcept;

}  // namespace spillway::emulator
