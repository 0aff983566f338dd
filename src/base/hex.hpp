#pragma once
/// Reads hexadecimal digits (either case) and writes them (lower case); decodes the escapes of URLs.
/// Thread rule: pure. Errors: nullopt, false or -1 for what is not hexadecimal.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/pen.hpp"

namespace spillway {

/// 0 to 15; -1 if `c` is not a digit.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// 0 to 255; -1 if either is not a digit.
[[nodiscard]] constexpr int hex_byte(char high, char low) noexcept {
    const int h = hex_value(high);
    const int l = hex_value(low);
    return h < 0 || l < 0 ? -1 : h * 16 + l;
}

[[nodiscard]] std::string to_hex(std::span<const unsigned char> bytes);

/// Sixteen digits, most significant first.
void append_hex(Pen& out, std::uint64_t number);

/// Decodes `hex` into `out`; false (with `out` unspecified) unless it has exactly two digits for each byte of
/// `out`.
[[nodiscard]] bool read_hex(std::string_view hex, std::span<unsigned char> out) noexcept;

template <std::size_t N>
[[nodiscard]] std::optional<std::array<unsigned char, N>> parse_hex(std::string_view hex) noexcept {
    std::array<unsigned char, N> out{};
    if (!read_hex(hex, out)) return std::nullopt;
    return out;
}

/// `raw` with its %XX escapes decoded (RFC 3986 §2.1); nullopt if one is malformed.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view raw);

}  // namespace spillway
