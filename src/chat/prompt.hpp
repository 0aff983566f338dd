#pragma once
/// Builds prompts (history, numbered sources and the request for follow-up questions), and parses the model's
/// answers. The conventions (sources as `[name]: text` after the question, citations as
/// `[name.pdf#page=3]`, follow-ups as `<<question>>`) are those of the public sample
/// azure-search-openai-demo. Pure. Thread rule: free functions, safe everywhere.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "chat/records.hpp"
#include "chat/user_settings.hpp"

namespace spillway::chat {

/// What a citation points to: a page of a PDF, or a place in a text. Pieces of one page are one source.
struct Source {
    std::string marker;  ///< as cited: "name.pdf#page=3", "notes.md#line=12"
    std::string document;
    std::string name;
    std::int64_t page = 0;
    std::int64_t line = 1;
    std::vector<std::string> texts;
    double score = 0;
    int word_rank = 0;
    int vector_rank = 0;
    double similarity = 0;
};
[[nodiscard]] std::vector<Source> to_sources(std::span<const Hit> hits);
void write_sources(JsonWriter& out, std::span<const Source> sources);

struct PromptMessage {
    std::string_view role;  ///< a literal
    std::string text;
};
/// `path` ends with the question. Turns that exceed `budget` characters are left out, oldest first; the
/// question always stays.
[[nodiscard]] std::vector<PromptMessage> build_prompt(const UserSettings& settings,
                                                      std::span<const Message> path,
                                                      std::span<const Source> sources,
                                                      std::size_t budget = 48000);
[[nodiscard]] std::vector<PromptMessage> follow_up_prompt(std::string_view question, std::string_view answer);
void write_prompt(JsonWriter& out, std::span<const PromptMessage> prompt);

/// A chat/completions body. `user`: see pseudonym(); empty: none.
[[nodiscard]] std::string chat_body(std::string_view model, std::span<const PromptMessage> prompt,
                                    const UserSettings& settings, std::string_view user, bool stream);

/// The questions between `<<` and `>>`, at most three, none twice.
[[nodiscard]] std::vector<std::string> parse_follow_ups(std::string_view text);

/// A conversation's name from its first question: one line, at most 60 characters.
[[nodiscard]] std::string title_of(std::string_view question);

}  // namespace spillway::chat
