#include "http/authority.hpp"

#include <algorithm>

#include "base/hex.hpp"
#include "base/strings.hpp"

namespace spillway::http {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_alnum(char c) noexcept {
    const char lower = ascii_lower(c);
    return is_digit(c) || (lower >= 'a' && lower <= 'z');
}

/// Of an IP-literal, between its brackets. What it says is of no use here.
bool is_literal(std::string_view text) noexcept {
    return !text.empty() &&
           std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == ':' || c == '.'; });
}

bool is_name(std::string_view text) noexcept {
    constexpr std::string_view others = "-._~!$&'()*+;=";
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_alnum(text[i]) || others.find(text[i]) != std::string_view::npos) continue;
        if (text[i] != '%' || text.size() - i < 3 || hex_byte(text[i + 1], text[i + 2]) < 0) return false;
        i += 2;
    }
    return !text.empty();
}

}  // namespace

bool valid_host(std::string_view host) noexcept {
    const bool literal = host.starts_with('[');
    const std::size_t end = literal ? host.find(']') : std::min(host.find(':'), host.size());
    if (end == std::string_view::npos) return false;
    const std::string_view port = host.substr(literal ? end + 1 : end);
    if (!port.empty() && (port.front() != ':' || !std::ranges::all_of(port.substr(1), is_digit)))
        return false;
    return literal ? is_literal(host.substr(1, end - 1)) : is_name(host.substr(0, end));
}

}  // namespace spillway::http
