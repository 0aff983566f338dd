#include "api/json_value.hpp"

namespace spillway::api {

bool read_text(JsonReader& reader, std::string& out) {
    out.clear();
    const JsonKind kind = reader.peek();
    if (kind == JsonKind::string) {
        JsonString s;
        if (!reader.string(s)) return false;
        if (s.escapes)
            (void)s.text(out);
        else
            out.assign(s.raw);
        return true;
    }
    if (kind != JsonKind::number) return reader.skip();
    std::string_view number;
    if (!reader.number(number)) return false;
    out.assign(number);
    return true;
}

bool read_count(JsonReader& reader, std::uint64_t& out, bool& found) {
    if (reader.peek() != JsonKind::number) return reader.skip();
    std::string_view number;
    if (!reader.number(number)) return false;
    if (const auto value = json_whole(number)) {
        out = *value;
        found = true;
    }
    return true;
}

}  // namespace spillway::api
