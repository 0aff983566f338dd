#include "api/form.hpp"

#include <string>

#include "base/strings.hpp"

namespace spillway::api {
namespace {

/// The value of a parameter of a field like `multipart/form-data; boundary="x"`; empty: there is none.
std::string_view parameter(std::string_view field, std::string_view name) noexcept {
    while (true) {
        const auto semicolon = field.find(';');
        if (semicolon == std::string_view::npos) return {};
        field = trim(field.substr(semicolon + 1));
        if (!istarts_with(field, name)) continue;
        std::string_view rest = trim(field.substr(name.size()));
        if (!rest.starts_with('=')) continue;
        rest = trim(rest.substr(1));
        if (rest.starts_with('"')) return rest.substr(1, rest.find('"', 1) - 1);
        return trim(rest.substr(0, rest.find(';')));
    }
}

/// The Content-Disposition among a part's field lines.
std::string_view disposition(std::string_view lines) noexcept {
    constexpr std::string_view key = "content-disposition:";
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find("\r\n"));
        if (istarts_with(line, key)) return line.substr(key.size());
        lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    }
    return {};
}

}  // namespace

std::optional<Span> find_form_field(std::string_view body, std::string_view content_type,
                                    std::string_view name) {
    if (!istarts_with(trim(content_type), "multipart/form-data")) return std::nullopt;
    const std::string_view boundary = parameter(content_type, "boundary");
    if (boundary.empty() || boundary.size() > 70) return std::nullopt;
    const std::string delimiter = std::string("--").append(boundary);
    std::optional<Span> found;
    std::size_t at = body.find(delimiter);
    while (at != std::string_view::npos) {
        at += delimiter.size();
        const std::size_t next = body.find(delimiter, at);
        if (next == std::string_view::npos) break;
        const std::size_t head_end = body.find("\r\n\r\n", at);
        if (head_end != std::string_view::npos && head_end + 4 <= next - 2) {
            const std::string_view field = disposition(body.substr(at + 2, head_end - at - 2));
            if (parameter(field, "name") == name && parameter(field, "filename").empty())
                found = Span{head_end + 4, next - 2 - (head_end + 4)};
        }
        at = next;
    }
    return found;
}

}  // namespace spillway::api
