#pragma once
/// Values by name as text, one `NAME="value"` a line: what `eval` of a shell takes, and what azd's `.env`
/// files look like. In double quotes `"`, `\`, `$` and `` ` `` are escaped (POSIX shell, 2.2.3).
///
/// Thread rule: free functions, safe everywhere. Errors name the line, never a value.
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::app::stack {

using Values = std::map<std::string, std::string, std::less<>>;

/// Letters, digits and '_', not beginning with a digit.
[[nodiscard]] bool is_name(std::string_view name) noexcept;

/// Appends `NAME="value"\n`. `value` must have no control characters.
void append_line(std::string& out, std::string_view name, std::string_view value);
[[nodiscard]] std::string format_values(const Values& values);

/// Blank lines and lines that begin with '#' are skipped; a value may be in double quotes or bare.
[[nodiscard]] Result<Values> parse_values(std::string_view text);

}  // namespace spillway::app::stack
