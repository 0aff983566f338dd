#pragma once
/// A share as a bar of block characters, for terminals. Thread rule: pure. Errors: none; the share is
/// clamped.
#include <cstddef>
#include <string>

namespace spillway {

/// `share` is from 0 to 1, `width` in columns.
[[nodiscard]] std::string bar(double share, std::size_t width);

}  // namespace spillway
