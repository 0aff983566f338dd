#pragma once
/// Small UTF-8 helpers (RFC 3629) and the decoding of dropped text files.
/// Thread rule: free functions, safe everywhere.
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::chat {

/// A character at the front of `s` (not empty): its code point and how many bytes it has. A byte that
/// starts no character is U+FFFD of one byte.
struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 1;
};
[[nodiscard]] CodePoint front_code_point(std::string_view s) noexcept;

[[nodiscard]] bool is_utf8(std::string_view s) noexcept;
[[nodiscard]] std::size_t count_characters(std::string_view s) noexcept;
/// At most `n` characters of `s`, cut at a character's end.
[[nodiscard]] std::string_view first_characters(std::string_view s, std::size_t n) noexcept;

/// A text file as UTF-8 with '\n' line ends: UTF-8, UTF-16 with a byte order mark, or else CP949 (how Korean
/// Windows saves text). An Error when it is none of these, or has control characters as no text has.
[[nodiscard]] Result<std::string> decode_text(std::string_view bytes);

}  // namespace spillway::chat
