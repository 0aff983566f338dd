#include "chat/terms.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace spillway::chat {
namespace {

bool is_cjk(char32_t c) noexcept {
    return (c >= 0x1100 && c <= 0x11FF) || (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3130 && c <= 0x318F) ||
           (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x2FA1F);
}

bool is_word(char32_t c) noexcept {
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    // General punctuation, CJK punctuation, full-width forms and the Latin-1 signs separate words.
    return c != 0xFFFD && c >= 0xAA && c != 0xAB && c != 0xB7 && c != 0xBB && !(c >= 0x2000 && c <= 0x206F) &&
           !(c >= 0x3000 && c <= 0x303F) && !(c >= 0xFF00 && c <= 0xFF0F);
}

bool is_common(std::string_view word) noexcept {
    static constexpr std::array<std::string_view, 47> words = {
        "a",    "about", "an",   "and",   "any",   "are", "as",    "at",    "be",   "by",  "can", "do",
        "does", "for",   "from", "has",   "have",  "how", "i",     "in",    "is",   "it",  "its", "me",
        "my",   "of",    "on",   "or",    "that",  "the", "their", "there", "this", "to",  "was", "we",
        "were", "what",  "when", "where", "which", "who", "why",   "will",  "with", "you", "your"};
    return std::ranges::find(words, word) != words.end();
}

}  // namespace

std::vector<std::string> search_terms(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    std::vector<std::string_view> run;  // neighbouring CJK characters
    const auto flush = [&] {
        if (!word.empty()) out.push_back(std::exchange(word, {}));
        if (run.size() == 1) out.emplace_back(run.front());
        for (std::size_t i = 0; i + 1 < run.size(); ++i)
            out.push_back(std::string(run[i]).append(run[i + 1]));
        run.clear();
    };
    while (!text.empty()) {
        const CodePoint c = front_code_point(text);
        const std::string_view bytes = text.substr(0, c.bytes);
        text.remove_prefix(c.bytes);
        if (is_cjk(c.value)) {
            if (!word.empty()) flush();
            run.push_back(bytes);
        } else if (is_word(c.value)) {
            if (!run.empty()) flush();
            for (const char b : bytes) word += ascii_lower(b);
        } else {
            flush();
        }
    }
    flush();
    return out;
}

std::string index_text(std::string_view text) {
    std::string out;
    for (const std::string& term : search_terms(text)) {
        if (!out.empty()) out += ' ';
        out += term;
    }
    return out;
}

std::string match_query(std::string_view text, std::size_t most) {
    std::vector<std::string> terms = search_terms(text);
    std::vector<std::string> telling;
    for (const std::string& term : terms)
        if (!is_common(term)) telling.push_back(term);
    if (!telling.empty()) terms = std::move(telling);
    std::string out;
    std::vector<std::string_view> seen;
    for (const std::string& term : terms) {
        if (seen.size() == most) break;
        if (std::ranges::find(seen, std::string_view(term)) != seen.end()) continue;
        seen.emplace_back(term);
        if (!out.empty()) out += " OR ";
        out.append("\"").append(term).append("\"");  // a term has no quote in it
    }
    return out;
}

}  // namespace spillway::chat
