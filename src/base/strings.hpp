#pragma once
/// Small string helpers without allocation. ASCII only, as HTTP field syntax is (RFC 9110 §5.6.2).
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace spillway {

namespace detail {
/// Whether two texts of `size` bytes are equal, ignoring case.
[[nodiscard]] bool equal_but_case(const char* a, const char* b, std::size_t size) noexcept;
}  // namespace detail

[[nodiscard]] constexpr char ascii_lower(char c) noexcept {
    return (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr bool iequals(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    if (!std::is_constant_evaluated()) {
        // Most names of one length differ in their first letter.
        if (a.empty() || ((static_cast<unsigned char>(a[0]) ^ static_cast<unsigned char>(b[0])) & 0xdfU) != 0)
            return a.empty();
        return detail::equal_but_case(a.data(), b.data(), a.size());
    }
    for (std::size_t i = 0; i < a.size(); ++i)
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    return true;
}

[[nodiscard]] constexpr bool istarts_with(std::string_view s, std::string_view prefix) noexcept {
    return s.size() >= prefix.size() && iequals(s.substr(0, prefix.size()), prefix);
}

[[nodiscard]] constexpr bool icontains(std::string_view s, std::string_view part) noexcept {
    const auto equal = [](char a, char b) { return ascii_lower(a) == ascii_lower(b); };
    return std::search(s.begin(), s.end(), part.begin(), part.end(), equal) != s.end();
}

[[nodiscard]] constexpr std::string_view trim(std::string_view s) noexcept {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t' || s.front() == '\r' || s.front() == '\n'))
        s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r' || s.back() == '\n'))
        s.remove_suffix(1);
    return s;
}

/// All of `s` as an integer, or nullopt: no leading '+', no white space, no overflow.
template <class Int>
[[nodiscard]] std::optional<Int> parse_int(std::string_view s) noexcept {
    Int value{};
    const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (ec != std::errc{} || end != s.data() + s.size()) return std::nullopt;
    return value;
}

/// All of `s` as a finite decimal number, or nullopt.
[[nodiscard]] inline std::optional<double> parse_double(std::string_view s) noexcept {
    double value{};
    const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value, std::chars_format::fixed);
    if (ec != std::errc{} || end != s.data() + s.size()) return std::nullopt;
    return value;
}

/// Allows unordered_map<std::string, …> to be searched by string_view.
struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
};

}  // namespace spillway
