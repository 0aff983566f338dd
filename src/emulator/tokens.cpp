#include "emulator/tokens.hpp"

#include <algorithm>

namespace spillway::emulator {
namespace {

constexpr std::size_t longest_piece = 4;

bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::size_t sequence_length(std::string_view s) noexcept {
    const auto lead = static_cast<unsigned char>(s.front());
    std::size_t wanted = 1;
    if (lead >= 0xF0U && lead < 0xF8U)
        wanted = 4;
    else if (lead >= 0xE0U)
        wanted = 3;
    else if (lead >= 0xC0U)
        wanted = 2;
    std::size_t have = 1;
    while (have < wanted && have < s.size() && (static_cast<unsigned char>(s[have]) & 0xC0U) == 0x80U) ++have;
    return have;
}

}  // namespace

std::size_t token_length(std::string_view text) noexcept {
    std::size_t at = 0;
    if (text.front() == ' ' && text.size() > 1) at = 1;
    if (is_word(text[at])) {
        const std::size_t limit = std::min(text.size(), at + longest_piece);
        while (at < limit && is_word(text[at])) ++at;
        return at;
    }
    if (at == 1 && text[1] == ' ') return 1;
    return at + sequence_length(text.substr(at));
}

std::vector<std::string_view> split_tokens(std::string_view text) {
    std::vector<std::string_view> tokens;
    tokens.reserve(text.size() / 4 + 1);
    while (!text.empty()) {
        const std::size_t n = token_length(text);
        tokens.push_back(text.substr(0, n));
        text.remove_prefix(n);
    }
    return tokens;
}

std::size_t count_tokens(std::string_view text) noexcept {
    std::size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(token_length(text));
    return count;
}

}  // namespace spillway::emulator
