#pragma once
/// Decodes dropped text files. Thread rule: a free function, safe everywhere.
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::chat {

/// The Error's message if the file is not text at all.
inline constexpr std::string_view not_text = "the file is not text";

/// A text file as UTF-8 with '\n' line ends, from UTF-8, UTF-16 with a byte order mark, or CP949 (the
/// encoding of Korean Windows) if that reads as Korean. Terminal colours, which logs have, are removed. An
/// Error if it is none of these; `not_text` if it has control characters that no text has.
[[nodiscard]] Result<std::string> decode_text(std::string_view bytes);

}  // namespace spillway::chat
