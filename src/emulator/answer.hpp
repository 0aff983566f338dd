#pragma once
/// The emulated model's text: a few rules give a sensible answer, always the same for the same prompt (no
/// clock, no randomness), and in Korean to a Korean prompt. Thread rule: pure. Errors: none.
/// Marks in a prompt control it: `[[tokens:N]]` requests exactly N tokens of text.
#include <cstddef>
#include <string>
#include <string_view>

namespace spillway::emulator {

struct Answer {
    std::string text;
    std::size_t tokens = 0;
    bool cut = false;  ///< max_tokens ended it: finish_reason "length"
};

/// At most `max_tokens` tokens (0: no limit of the request).
[[nodiscard]] Answer answer(std::string_view prompt, std::size_t max_tokens);
/// The text after a tool has returned its result.
[[nodiscard]] Answer answer_from_tool(std::string_view question, std::string_view result,
                                      std::size_t max_tokens);
/// Cuts `text` down to `max_tokens` tokens (0: not at all) and counts.
[[nodiscard]] Answer bounded(std::string text, std::size_t max_tokens);
/// True if `text` has a Hangul syllable.
[[nodiscard]] bool has_hangul(std::string_view text) noexcept;
/// A prompt's topic: its last significant words, without "write a story about" and the like.
[[nodiscard]] std::string topic_of(std::string_view prompt);

}  // namespace spillway::emulator
