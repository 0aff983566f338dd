#pragma once
/// Writing JSON strings (RFC 8259 §7). Thread rule: free functions, safe everywhere.
#include <string>
#include <string_view>

namespace spillway::api {

/// Appends `text` as a quoted JSON string; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace spillway::api
