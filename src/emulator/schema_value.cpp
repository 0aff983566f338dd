#include "emulator/schema_value.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/strings.hpp"
#include "emulator/answer.hpp"

namespace spillway::emulator {
namespace {

using simdjson::dom::element;
constexpr int deepest = 8;

std::string_view text_of(const element& e, std::string_view key) {
    std::string_view out;
    if (e[key].get(out) != simdjson::SUCCESS) return {};
    return out;
}

/// "What is the weather in Seoul?" → "Seoul": the word behind " in ", else the topic.
std::string place_of(std::string_view prompt) {
    const auto at = prompt.find(" in ");
    if (at == std::string_view::npos) return topic_of(prompt);
    const std::string_view rest = prompt.substr(at + 4);
    return std::string(rest.substr(0, rest.find_first_of("?.!,\n")));
}

std::optional<long> number_of(std::string_view prompt) {
    const auto at = prompt.find_first_of("0123456789");
    if (at == std::string_view::npos) return std::nullopt;
    const auto end = prompt.find_first_not_of("0123456789", at);
    return parse_int<long>(prompt.substr(at, end == std::string_view::npos ? end : end - at));
}

std::string build(const element& schema, std::string_view name, std::string_view prompt, int depth);

std::string build_object(const element& schema, std::string_view prompt, int depth) {
    simdjson::dom::object properties;
    if (schema["properties"].get(properties) != simdjson::SUCCESS) return "{}";
    simdjson::dom::array required;
    const bool listed = schema["required"].get(required) == simdjson::SUCCESS && required.size() > 0;
    std::string out = "{";
    for (const auto& [key, value] : properties) {
        bool wanted = !listed;
        if (listed)
            for (const element r : required) {
                std::string_view s;
                wanted = wanted || (r.get(s) == simdjson::SUCCESS && s == key);
            }
        if (!wanted) continue;
        if (out.size() > 1) out += ',';
        out += json_quoted(key) + ':' + build(value, key, prompt, depth + 1);
    }
    return out + '}';
}

std::string build(const element& schema, std::string_view name, std::string_view prompt, int depth) {
    if (depth > deepest || !schema.is_object()) return "null";
    element found;
    for (const std::string_view fixed : {"const", "default"})
        if (schema[fixed].get(found) == simdjson::SUCCESS) return simdjson::minify(found);
    simdjson::dom::array list;
    if (schema["enum"].get(list) == simdjson::SUCCESS && list.size() > 0)
        return simdjson::minify(list.at(0).value());
    if (schema["anyOf"].get(list) == simdjson::SUCCESS && list.size() > 0)
        return build(list.at(0).value(), name, prompt, depth + 1);
    std::string_view type = text_of(schema, "type");
    if (schema["type"].get(list) == simdjson::SUCCESS && list.size() > 0)
        if (list.at(0).get(type) != simdjson::SUCCESS) type = {};
    if (type == "object" || (type.empty() && schema["properties"].get(found) == simdjson::SUCCESS))
        return build_object(schema, prompt, depth);
    if (type == "array") {
        if (schema["items"].get(found) != simdjson::SUCCESS) return "[]";
        return '[' + build(found, name, prompt, depth + 1) + ']';
    }
    if (type == "integer" || type == "number") {
        if (const auto n = number_of(prompt)) return fmt::format("{}", *n);
        if (schema["minimum"].get(found) == simdjson::SUCCESS) return simdjson::minify(found);
        return "1";
    }
    if (type == "boolean") return "true";
    if (type == "null") return "null";
    if (name == "city" || name == "location" || name == "place") return json_quoted(place_of(prompt));
    return json_quoted(topic_of(prompt));
}

}  // namespace

std::string value_for_schema(const element& schema, std::string_view prompt) {
    return build(schema, {}, prompt, 0);
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20U)
                    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
                else
                    out += c;
        }
    }
}

std::string json_quoted(std::string_view text) {
    std::string out = "\"";
    append_escaped(out, text);
    return out += '"';
}

}  // namespace spillway::emulator
