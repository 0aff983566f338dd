#pragma once
/// The parts of a request's target (RFC 3986 §3). Pure. Thread rule: free functions, safe everywhere.
#include <string>
#include <string_view>
#include <vector>

namespace spillway::chat {

/// The segments of a path without its first slash.
[[nodiscard]] std::vector<std::string_view> segments(std::string_view path);
/// A query parameter, percent-decoded; empty if absent or malformed.
[[nodiscard]] std::string query_value(std::string_view target, std::string_view name);

}  // namespace spillway::chat
