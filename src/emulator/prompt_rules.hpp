#pragma once
/// Rules of the emulated model for prompts of applications: a question followed by sources, the
/// request for follow-up questions (both as the public sample azure-search-openai-demo words them), and the
/// request for code. Pure: the same prompt, the same text. Thread rule: free functions, safe everywhere.
#include <optional>
#include <string>
#include <string_view>

namespace spillway::emulator {

/// For "question\n\nSources:\n\n[name]: text\n…": the sentence that shares most with the question, and the
/// name of its source in square brackets. nullopt for other prompts.
[[nodiscard]] std::optional<std::string> answer_from_sources(std::string_view prompt);

/// For a prompt that asks for "follow-up questions" within `<<` and `>>`, after a line "Question: …".
[[nodiscard]] std::optional<std::string> follow_up_questions(std::string_view prompt);

/// For a prompt that asks for code: Markdown with a code block, a list and a table.
[[nodiscard]] std::optional<std::string> answer_with_code(std::string_view prompt);

}  // namespace spillway::emulator
