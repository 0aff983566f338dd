#include "app/stack_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/strings.hpp"

namespace spillway::app::stack {
namespace {

bool is_escaped_in_quotes(char c) noexcept {
    return c == '"' || c == '\\' || c == '$' || c == '`';
}

/// `text` begins with the opening quote.
std::optional<std::string> unquote(std::string_view text) {
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1 == text.size() ? std::optional(std::move(out)) : std::nullopt;
        if (text[i] == '\\' && i + 1 < text.size() && is_escaped_in_quotes(text[i + 1])) ++i;
        out.push_back(text[i]);
    }
    return std::nullopt;
}

}  // namespace

bool is_name(std::string_view name) noexcept {
    const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
    return !name.empty() && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append("=\"");
    for (const char c : value) {
        if (is_escaped_in_quotes(c)) out.push_back('\\');
        out.push_back(c);
    }
    out.append("\"\n");
}

std::string format_values(const Values& values) {
    std::string out;
    for (const auto& [name, value] : values) append_line(out, name, value);
    return out;
}

Result<Values> parse_values(std::string_view text) {
    Values values;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || !is_name(line.substr(0, equals)))
            return fail(fmt::format("line {}: expected NAME=\"value\"", number));
        const std::string_view name = line.substr(0, equals);
        const std::string_view value = line.substr(equals + 1);
        if (value.empty() || value.front() != '"') {
            values.insert_or_assign(std::string(name), std::string(value));
            continue;
        }
        auto inner = unquote(value);
        if (!inner)
            return fail(fmt::format("line {}: the value of {} has no proper end quote", number, name));
        values.insert_or_assign(std::string(name), std::move(*inner));
    }
    return values;
}

}  // namespace spillway::app::stack
