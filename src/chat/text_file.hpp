#pragma once
/// Decodes dropped text files. Thread rule: a free function, safe everywhere.
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::chat {

/// A text file as UTF-8 with '\n' line ends, from UTF-8, UTF-16 with a byte order mark, or CP949 (the
/// encoding of Korean Windows). An Error if it is none of these, or has control characters that no text has.
[[nodiscard]] Result<std::string> decode_text(std::string_view bytes);

}  // namespace spillway::chat
