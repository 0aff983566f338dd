#pragma once
/// Cuts a document's text into pieces for embedding and search, each within one page, so that a citation
/// names the right page. Pieces end at the end of a paragraph, line, sentence or word if one is near, and
/// overlap a little, so that a sentence cut at a border is complete in one of them. Thread rule: free
/// functions, safe everywhere.
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::chat {

struct ChunkRule {
    std::size_t characters = 1000;  ///< maximum of a piece (Unicode characters)
    std::size_t overlap = 120;      ///< repeated from the piece before
};

struct Chunk {
    std::size_t page = 0;    ///< index into the pages given
    std::size_t offset = 0;  ///< bytes into that page's text
    std::size_t length = 0;  ///< bytes
    std::size_t line = 1;    ///< of the piece's first character within its page, from 1
};

/// The pieces of all pages, in order. White space alone gives none.
[[nodiscard]] std::vector<Chunk> cut_chunks(std::span<const std::string> pages, const ChunkRule& rule = {});

}  // namespace spillway::chat
