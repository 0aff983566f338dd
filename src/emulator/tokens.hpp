#pragma once
/// A stand-in for a model's tokenizer: deterministic, cheap, and near enough in count for quota work.
/// A token is up to four ASCII letters or digits of a word, one other ASCII sign, or one code point beyond
/// ASCII (a Hangul syllable, say); one blank goes with the token behind it, as in BPE vocabularies.
/// The tokens of a text join to the text, so streamed pieces sum up to what usage reports.
#include <cstddef>
#include <string_view>
#include <vector>

namespace spillway::emulator {

/// Views into `text`. Never cuts a UTF-8 sequence; invalid bytes are tokens of their own.
[[nodiscard]] std::vector<std::string_view> split_tokens(std::string_view text);
/// As many as split_tokens() gives, without the list.
[[nodiscard]] std::size_t count_tokens(std::string_view text) noexcept;
/// The length in bytes of the first token of `text`, which is not empty.
[[nodiscard]] std::size_t token_length(std::string_view text) noexcept;

}  // namespace spillway::emulator
