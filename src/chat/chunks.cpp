#include "chat/chunks.hpp"

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace spillway::chat {
namespace {

bool is_tail_byte(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Where a piece of `window` should end: behind the last paragraph, line, sentence or word that ends in its
/// second half; else at its very end.
std::size_t cut_point(std::string_view window) {
    static constexpr std::array<std::string_view, 8> ends = {"\n\n", "\n", ". ",  "? ",
                                                             "! ",   "。", "다.", " "};
    // Sentences of one kind rank equally: the last of them wins.
    static constexpr std::array<int, 8> ranks = {0, 1, 2, 2, 2, 2, 2, 3};
    std::size_t best = 0;
    int best_rank = 4;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const std::size_t at = window.rfind(ends[i]);
        if (at == std::string_view::npos) continue;
        const std::size_t end = at + ends[i].size();
        if (end < window.size() / 2 || ranks[i] > best_rank) continue;
        if (ranks[i] < best_rank || end > best) {
            best = end;
            best_rank = ranks[i];
        }
    }
    return best == 0 ? window.size() : best;
}

/// The byte where the last `n` characters before `end` begin, moved on to a word's begin if one is near.
std::size_t step_back(std::string_view text, std::size_t begin, std::size_t end, std::size_t n) {
    std::size_t at = end;
    while (n > 0 && at > begin) {
        --at;
        while (at > begin && is_tail_byte(text[at])) --at;
        --n;
    }
    const std::size_t blank = text.substr(at, end - at).find_first_of(" \n");
    return blank == std::string_view::npos ? at : at + blank + 1;
}

std::size_t line_ends(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

void cut_page(std::string_view text, std::size_t page, const ChunkRule& rule, std::vector<Chunk>& out) {
    std::size_t begin = 0;
    std::size_t line = 1;
    std::size_t counted = 0;
    while (begin < text.size()) {
        const std::string_view rest = text.substr(begin);
        const std::string_view window = first_characters(rest, rule.characters);
        const std::size_t end = begin + (window.size() == rest.size() ? rest.size() : cut_point(window));
        const std::string_view piece = text.substr(begin, end - begin);
        const std::string_view trimmed = trim(piece);
        if (!trimmed.empty()) {
            const std::size_t offset = static_cast<std::size_t>(trimmed.data() - text.data());
            // An overlap may begin before the place counted last.
            if (offset >= counted)
                line += line_ends(text.substr(counted, offset - counted));
            else
                line -= line_ends(text.substr(offset, counted - offset));
            counted = offset;
            out.push_back({page, offset, trimmed.size(), line});
        }
        if (end == text.size()) return;
        begin = std::max(begin + 1, step_back(text, begin, end, rule.overlap));
        while (begin < text.size() && is_tail_byte(text[begin])) ++begin;
    }
}

}  // namespace

std::vector<Chunk> cut_chunks(std::span<const std::string> pages, const ChunkRule& rule) {
    std::vector<Chunk> out;
    for (std::size_t i = 0; i < pages.size(); ++i) cut_page(pages[i], i, rule, out);
    return out;
}

}  // namespace spillway::chat
