#pragma once
/// Builds a JSON value that fits a JSON Schema (the keywords tools use: type, properties, required, enum,
/// const, default, items, minimum, anyOf), with words and numbers of the prompt where they fit.
#include <simdjson.h>

#include <string>
#include <string_view>

namespace spillway::emulator {

[[nodiscard]] std::string value_for_schema(const simdjson::dom::element& schema, std::string_view prompt);
/// `text` as a JSON string with its quotes; invalid UTF-8 is left as it is.
[[nodiscard]] std::string json_quoted(std::string_view text);
/// Appends `text` escaped, without quotes.
void append_escaped(std::string& out, std::string_view text);

}  // namespace spillway::emulator
