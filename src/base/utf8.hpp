#pragma once
/// UTF-8 (RFC 3629): the one place that knows which bytes form a character.
/// Thread rule: pure. Errors: none; what is not well formed is reported or replaced by U+FFFD.
#include <cstddef>
#include <string>
#include <string_view>

namespace spillway {

/// U+FFFD in UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the well-formed sequence at the start of `s`; 0 if there is none.
[[nodiscard]] std::size_t utf8_sequence(std::string_view s) noexcept;

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 1;
};
/// The first character of `s`, which is not empty. A byte that starts no character is U+FFFD, one byte long.
[[nodiscard]] CodePoint front_code_point(std::string_view s) noexcept;

[[nodiscard]] bool is_utf8(std::string_view s) noexcept;
/// `s` must be well formed.
[[nodiscard]] std::size_t count_characters(std::string_view s) noexcept;
/// The first `n` characters of `s`, or all if there are fewer.
[[nodiscard]] std::string_view first_characters(std::string_view s, std::size_t n) noexcept;

/// Appends `s`, with each byte that is not part of well-formed UTF-8 replaced by U+FFFD.
void append_utf8(std::string& out, std::string_view s);
/// Appends one character; at most U+10FFFF.
void append_code_point(std::string& out, char32_t c);

}  // namespace spillway
