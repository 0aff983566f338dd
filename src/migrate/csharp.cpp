#include "migrate/csharp.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace spillway::migrate::csharp {
namespace {

bool is_word(char c) noexcept {
    const char l = ascii_lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

std::size_t quoted(std::string_view s, std::size_t at, char quote, bool verbatim) noexcept {
    while (at < s.size() && s[at] != quote) at += s[at] == '\\' && !verbatim ? 2 : 1;
    return std::min(at + 1, s.size());
}

/// The text of a literal `"…"` that is the whole of `s`.
std::optional<std::string> text_of(std::string_view s) {
    const bool verbatim = s.starts_with('@');
    if (verbatim) s.remove_prefix(1);
    if (s.size() < 2 || s.front() != '"' || s.back() != '"' || skip_opaque(s) != s.size())
        return std::nullopt;
    std::string out;
    for (std::size_t i = 1; i + 1 < s.size(); ++i) {
        if (s[i] == '\\' && !verbatim && i + 2 < s.size()) ++i;
        out += s[i];
    }
    return out;
}

std::string_view blank_front(std::string_view s) {
    for (;;) {
        s = trim(s);
        const auto n = s.starts_with('/') ? skip_opaque(s) : 0;
        if (n == 0) return s;
        s.remove_prefix(n);
    }
}

/// `code` cut at the commas that stand in no bracket or text.
std::vector<std::string_view> parts(std::string_view code) {
    std::vector<std::string_view> out;
    std::size_t start = 0;
    for (std::size_t i = 0; i < code.size();) {
        if (const auto n = skip_opaque(code.substr(i)); n != 0) {
            i += n;
        } else if (code[i] == '{' || code[i] == '(' || code[i] == '[') {
            i += balanced(code.substr(i));
        } else {
            if (code[i] == ',') {
                out.push_back(code.substr(start, i - start));
                start = i + 1;
            }
            ++i;
        }
    }
    out.push_back(code.substr(std::min(start, code.size())));
    return out;
}

Member member(std::string_view name, std::string_view value) {
    Member out;
    name = blank_front(name);
    value = blank_front(value);
    if (name.starts_with('[') && name.ends_with(']')) name = trim(name.substr(1, name.size() - 2));
    out.name = text_of(name).value_or(std::string(name));
    if (const auto text = text_of(value)) {
        out.value = *text;
        out.literal = true;
    } else {
        out.value = value.substr(0, value.find_first_of(" \t\r\n/"));
        out.literal = !out.value.empty() && std::all_of(out.value.begin(), out.value.end(), is_word);
    }
    return out;
}

/// What stands in the braces of an initializer.
std::vector<Member> members(std::string_view code) {
    std::vector<Member> out;
    for (auto part : parts(code)) {
        part = blank_front(part);
        if (part.starts_with('{')) {
            const auto length = balanced(part);
            const auto inside = part.substr(1, length < 2 ? 0 : length - 2);
            const auto pair = parts(inside);
            if (pair.size() == 2) out.push_back(member(pair[0], pair[1]));
        } else if (const auto equals = part.find('='); equals != std::string_view::npos) {
            out.push_back(member(trim(part.substr(0, equals)), part.substr(equals + 1)));
        }
    }
    return out;
}

/// `new JProperty("name", value), …`
std::vector<Member> properties(std::string_view code) {
    std::vector<Member> out;
    for (auto part : parts(code)) {
        part = blank_front(part);
        if (!part.starts_with("new")) continue;
        part = blank_front(part.substr(3));
        if (!part.starts_with("JProperty")) continue;
        part = blank_front(part.substr(9));
        if (!part.starts_with('(')) continue;
        const auto length = balanced(part);
        const auto pair = parts(part.substr(1, length < 2 ? 0 : length - 2));
        if (pair.size() == 2) out.push_back(member(pair[0], pair[1]));
    }
    return out;
}

}  // namespace

std::size_t skip_opaque(std::string_view s) noexcept {
    if (s.starts_with("//")) return std::min(s.find('\n'), s.size());
    if (s.starts_with("/*")) {
        const auto end = s.find("*/", 2);
        return end == std::string_view::npos ? s.size() : end + 2;
    }
    if (s.starts_with('"')) return quoted(s, 1, '"', false);
    if (s.starts_with('\'')) return quoted(s, 1, '\'', false);
    if (s.starts_with("@\"")) return quoted(s, 2, '"', true);
    if (s.starts_with("$\"")) return quoted(s, 2, '"', false);
    return 0;
}

std::size_t balanced(std::string_view s) noexcept {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < s.size();) {
        if (const auto n = skip_opaque(s.substr(i)); n != 0) {
            i += n;
            continue;
        }
        const char c = s[i++];
        if (c == '{' || c == '(' || c == '[') ++depth;
        if ((c == '}' || c == ')' || c == ']') && (depth <= 1 || --depth == 0)) return i;
    }
    return s.size();
}

const Member* Object::find(std::string_view name) const noexcept {
    const auto found =
        std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.name == name; });
    return found == members.end() ? nullptr : &*found;
}

std::vector<Object> objects(std::string_view code) {
    std::vector<Object> out;
    for (std::size_t i = 0; i < code.size();) {
        if (const auto n = skip_opaque(code.substr(i)); n != 0) {
            i += n;
            continue;
        }
        const bool begins = code.substr(i).starts_with("new") && (i == 0 || !is_word(code[i - 1]));
        if (!begins) {
            ++i;
            continue;
        }
        const auto start = i;
        auto rest = blank_front(code.substr(i + 3));
        if (rest.starts_with("JObject")) rest = blank_front(rest.substr(7));
        if (rest.starts_with('(')) {
            const auto size = balanced(rest);
            if (auto given = properties(rest.substr(1, size < 2 ? 0 : size - 2)); !given.empty()) {
                out.push_back({start, std::move(given)});
                i = static_cast<std::size_t>(rest.data() - code.data()) + size;
                continue;
            }
            rest = blank_front(rest.substr(size));
        }
        i += 3;
        if (!rest.starts_with('{')) continue;
        const auto length = balanced(rest);
        auto inside = members(rest.substr(1, length < 2 ? 0 : length - 2));
        if (inside.empty()) continue;
        out.push_back({start, std::move(inside)});
        i = static_cast<std::size_t>(rest.data() - code.data()) + length;
    }
    return out;
}

}  // namespace spillway::migrate::csharp
