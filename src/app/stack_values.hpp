#pragma once
/// Values by name as text, one `NAME="value"` per line, as accepted by a shell's `eval` and used in azd's
/// `.env` files. In double quotes `"`, `\`, `$` and `` ` `` are escaped (POSIX shell, 2.2.3).
///
/// Thread rule: free functions, safe everywhere. Errors name the line, never a value.
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::app::stack {

using Values = std::map<std::string, std::string, std::less<>>;

/// Whether it has only letters, digits and '_', and does not start with a digit.
[[nodiscard]] bool is_name(std::string_view name) noexcept;

/// Appends `NAME="value"\n`. `value` must not contain control characters.
void append_line(std::string& out, std::string_view name, std::string_view value);
[[nodiscard]] std::string format_values(const Values& values);

/// Skips blank lines and lines starting with '#'; values may be in double quotes or bare.
[[nodiscard]] Result<Values> parse_values(std::string_view text);

}  // namespace spillway::app::stack
