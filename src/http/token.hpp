#pragma once
/// Characters and tokens of RFC 9110 §5.6.2. Thread rule: pure. Errors: none.
#include <algorithm>
#include <array>
#include <string_view>

namespace spillway::http {

inline constexpr std::array<bool, 256> token_table = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

[[nodiscard]] constexpr bool is_token_char(char c) noexcept {
    return token_table[static_cast<unsigned char>(c)];
}

[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

}  // namespace spillway::http
