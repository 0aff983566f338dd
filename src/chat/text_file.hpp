#pragma once
/// The decoding of dropped text files. Thread rule: a free function, safe everywhere.
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::chat {

/// A text file as UTF-8 with '\n' line ends: UTF-8, UTF-16 with a byte order mark, or else CP949 (how Korean
/// Windows saves text). An Error when it is none of these, or has control characters as no text has.
[[nodiscard]] Result<std::string> decode_text(std::string_view bytes);

}  // namespace spillway::chat
