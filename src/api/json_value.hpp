#pragma once
/// Reads values that several answers have in common, at a JsonReader's position. Internal to the api room.
/// Errors: false once the text is not JSON. Thread rule: free functions, safe everywhere.
#include <cstdint>
#include <string>

#include "api/error.hpp"
#include "api/json_reader.hpp"
#include "api/usage.hpp"

namespace spillway::api {

/// A string, unescaped, or a number as text; anything else empties `out`.
[[nodiscard]] bool read_text(JsonReader& reader, std::string& out);
/// A non-negative integer, setting `found`; anything else leaves `out` unchanged.
[[nodiscard]] bool read_count(JsonReader& reader, std::uint64_t& out, bool& found);
/// An `error` value: an object, or only a message.
[[nodiscard]] bool read_error(JsonReader& reader, ApiError& error);
/// A `usage` value; sets `found` if it is an object with a token count.
[[nodiscard]] bool read_usage(JsonReader& reader, Usage& usage, bool& found);

}  // namespace spillway::api
