#pragma once
/// Values that several answers share, read where a JsonReader stands. Internal to the api room.
/// All return false once the text is not JSON. Thread rule: free functions, safe everywhere.
#include <cstdint>
#include <string>

#include "api/error.hpp"
#include "api/json_reader.hpp"
#include "api/usage.hpp"

namespace spillway::api {

/// A string unescaped, or a number as its text; anything else empties `out`.
[[nodiscard]] bool read_text(JsonReader& reader, std::string& out);
/// A whole number that is not negative; anything else leaves `out`. `found` is set when there was one.
[[nodiscard]] bool read_count(JsonReader& reader, std::uint64_t& out, bool& found);
/// An `error` value: an object, or a message alone.
[[nodiscard]] bool read_error(JsonReader& reader, ApiError& error);
/// A `usage` value; `found` tells whether it is an object that names a token count.
[[nodiscard]] bool read_usage(JsonReader& reader, Usage& usage, bool& found);

}  // namespace spillway::api
