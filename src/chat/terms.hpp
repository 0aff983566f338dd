#pragma once
/// Words to search by, for SQLite's FTS5. Its own tokenizers know word borders by spaces, which fails for
/// Korean (particles are glued to nouns), Chinese and Japanese. So runs of those scripts become overlapping
/// pairs of characters, as is usual for CJK indexes; other words stay words, in lower case (ASCII).
/// Thread rule: free functions, safe everywhere.
#include <string>
#include <string_view>
#include <vector>

namespace spillway::chat {

/// The terms of `text` in order, repeats included.
[[nodiscard]] std::vector<std::string> search_terms(std::string_view text);
/// What is put into the index for `text`: its terms with spaces between.
[[nodiscard]] std::string index_text(std::string_view text);
/// An FTS5 query that finds any of the terms of `text`, at most `most` different ones; common English words
/// are left out unless there are no others. Empty: nothing to search by.
[[nodiscard]] std::string match_query(std::string_view text, std::size_t most = 64);

}  // namespace spillway::chat
