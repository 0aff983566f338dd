#pragma once
/// SHA-256 of clients' keys: the configuration keeps no client's key longer than it takes to read it.
///
/// Thread rule: free functions, safe everywhere. Errors: digest_of() throws std::runtime_error if OpenSSL
/// offers no SHA-256.
#include <optional>
#include <string_view>

#include "config/gateway.hpp"

namespace spillway::config {

[[nodiscard]] KeySha256 digest_of(std::string_view key);

/// 64 hexadecimal digits, either case; nullopt for anything else.
[[nodiscard]] std::optional<KeySha256> parse_key_sha256(std::string_view hex);

}  // namespace spillway::config
