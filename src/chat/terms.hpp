#pragma once
/// Search terms for SQLite's FTS5. Its own tokenizers split words at spaces, which fails for Korean
/// (particles are attached to nouns), Chinese and Japanese. So runs of those scripts become overlapping pairs
/// of characters, as is usual for CJK indexes; other words stay words, in lower case (ASCII). Thread rule:
/// free functions, safe everywhere.
#include <string>
#include <string_view>
#include <vector>

namespace spillway::chat {

/// The terms of `text` in order, with repetitions.
[[nodiscard]] std::vector<std::string> search_terms(std::string_view text);
/// The index entry for `text`: its terms separated by spaces.
[[nodiscard]] std::string index_text(std::string_view text);
/// An FTS5 query for any of the terms of `text`, at most `most` different ones, without common English words
/// unless there are no others. Empty: nothing to search for.
[[nodiscard]] std::string match_query(std::string_view text, std::size_t most = 64);

}  // namespace spillway::chat
