#pragma once
/// Encodes text as one segment of a URL's path: all but unreserved characters are escaped (RFC 3986 §2.3,
/// §3.3). Thread rule: pure. Errors: none.
#include <string>
#include <string_view>

namespace spillway {

[[nodiscard]] std::string path_segment(std::string_view text);

}  // namespace spillway
