#include "api/form.hpp"

#include <string>

#include "api/object_id.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

/// The value of a parameter of a field like `multipart/form-data; boundary="x"`; empty: there is none.
std::string_view parameter(std::string_view field, std::string_view name) noexcept {
    while (true) {
        std::size_t semicolon = 0;
        for (bool quoted = false; semicolon < field.size() && (quoted || field[semicolon] != ';');
             ++semicolon)
            if (field[semicolon] == '"') quoted = !quoted;
        if (semicolon == field.size()) return {};
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
    constexpr std::string_view key = "content-disposition";
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find("\r\n"));
        const std::string_view rest =
            istarts_with(line, key) ? trim(line.substr(key.size())) : std::string_view();
        if (rest.starts_with(':')) return rest.substr(1);
        lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    }
    return {};
}

/// Calls each(name, value's place) for each field that is no file.
template <class Each>
void each_field(std::string_view body, std::string_view content_type, Each&& each) {
    if (!istarts_with(trim(content_type), "multipart/form-data")) return;
    const std::string_view boundary = parameter(content_type, "boundary");
    if (boundary.empty() || boundary.size() > 70) return;
    const std::string delimiter = std::string("--").append(boundary);
    std::size_t at = body.find(delimiter);
    while (at != std::string_view::npos) {
        at += delimiter.size();
        const std::size_t next = body.find(delimiter, at);
        if (next == std::string_view::npos) break;
        const std::size_t head_end = body.find("\r\n\r\n", at);
        if (head_end != std::string_view::npos && head_end + 4 <= next - 2) {
            const std::string_view field = disposition(body.substr(at + 2, head_end - at - 2));
            if (parameter(field, "filename").empty())
                each(parameter(field, "name"), Span{head_end + 4, next - 2 - (head_end + 4)});
        }
        at = next;
    }
}

}  // namespace

std::optional<FormField> find_form_field(std::string_view body, std::string_view content_type,
                                         std::string_view name) {
    std::optional<FormField> found;
    each_field(body, content_type, [&](std::string_view field, const Span& value) {
        if (field == name) found = FormField{value, found.has_value()};
    });
    return found;
}

void ids_in_form(std::string_view body, std::string_view content_type, IdList& out) {
    each_field(body, content_type, [&](std::string_view, const Span& value) {
        const std::string_view text = trim(body.substr(value.offset, value.length));
        if (is_object_id(text)) out.add(text);
    });
}

}  // namespace spillway::api
