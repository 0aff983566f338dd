#include "api/answer_model.hpp"

#include <algorithm>

#include "base/find_text.hpp"

namespace spillway::api {
namespace {

constexpr std::string_view space = " \t\r\n";

/// What begins at `text` is `: "value"`.
std::string_view string_value(std::string_view text) noexcept {
    const auto colon = text.find_first_not_of(space);
    if (colon == std::string_view::npos || text[colon] != ':') return {};
    const auto quote = text.find_first_not_of(space, colon + 1);
    if (quote == std::string_view::npos || text[quote] != '"') return {};
    text.remove_prefix(quote + 1);
    const auto end = text.find('"');
    return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

bool is_plain(std::string_view name) noexcept {
    constexpr std::size_t most = 64;
    return !name.empty() && name.size() <= most &&
           std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
}

}  // namespace

// Within a JSON string the quotes would be escaped: the key is found nowhere else.
std::string_view find_model(std::string_view text) noexcept {
    constexpr std::string_view key = "\"model\"";
    for (auto at = find_text(text, key); at != text.npos; at = find_text(text, key, at + key.size()))
        if (const auto name = string_value(text.substr(at + key.size())); is_plain(name)) return name;
    return {};
}

}  // namespace spillway::api
