#pragma once
/// Text in HTML. Thread rule: a plain function. Errors: none.
#include <string>
#include <string_view>

namespace spillway {

/// As the text of an element or the value of an attribute in quotes.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace spillway
