#include "base/utf8.hpp"

#include <algorithm>

namespace spillway {

std::size_t utf8_sequence(std::string_view s) noexcept {
    if (s.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const unsigned char b = byte(0);
    if (b < 0x80) return 1;
    // The second byte's range shuts out overlong forms, surrogates and what lies past U+10FFFF.
    std::size_t n = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (b >= 0xc2 && b <= 0xdf) {
        n = 2;
    } else if (b >= 0xe0 && b <= 0xef) {
        n = 3;
        if (b == 0xe0) low = 0xa0;
        if (b == 0xed) high = 0x9f;
    } else if (b >= 0xf0 && b <= 0xf4) {
        n = 4;
        if (b == 0xf0) low = 0x90;
        if (b == 0xf4) high = 0x8f;
    }
    if (n == 0 || s.size() < n || byte(1) < low || byte(1) > high) return 0;
    for (std::size_t i = 2; i < n; ++i)
        if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
    return n;
}

CodePoint front_code_point(std::string_view s) noexcept {
    const std::size_t n = utf8_sequence(s);
    if (n == 0) return {U'\uFFFD', 1};
    const auto first = static_cast<unsigned char>(s[0]);
    if (n == 1) return {first, 1};
    // The first of n bytes has n ones and a zero before its bits.
    char32_t value = first & (0x7fU >> n);
    for (std::size_t i = 1; i < n; ++i) value = (value << 6U) | (static_cast<unsigned char>(s[i]) & 0x3fU);
    return {value, n};
}

bool is_utf8(std::string_view s) noexcept {
    while (!s.empty()) {
        const std::size_t n = utf8_sequence(s);
        if (n == 0) return false;
        s.remove_prefix(n);
    }
    return true;
}

std::size_t count_characters(std::string_view s) noexcept {
    return static_cast<std::size_t>(std::count_if(
        s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string_view first_characters(std::string_view s, std::size_t n) noexcept {
    std::size_t at = 0;
    for (; n > 0 && at < s.size(); --n) at += std::max<std::size_t>(utf8_sequence(s.substr(at)), 1);
    return s.substr(0, at);
}

void append_utf8(std::string& out, std::string_view s) {
    while (!s.empty()) {
        const std::size_t n = utf8_sequence(s);
        out += n == 0 ? kReplacement : s.substr(0, n);
        s.remove_prefix(std::max<std::size_t>(n, 1));
    }
}

void append_code_point(std::string& out, char32_t c) {
    const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
    const auto put_rest = [&put, c](unsigned shift) { put(0x80U | ((c >> shift) & 0x3fU)); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0U | (c >> 6U));
        put_rest(0);
    } else if (c < 0x10000) {
        put(0xe0U | (c >> 12U));
        put_rest(6);
        put_rest(0);
    } else {
        put(0xf0U | (c >> 18U));
        put_rest(12);
        put_rest(6);
        put_rest(0);
    }
}

}  // namespace spillway
