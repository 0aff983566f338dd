#pragma once
/// Refuses targets that another server could interpret differently (RFC 3986 §5.2.4, §6.2.2).
/// Internal to the api room. Thread rule: free functions, safe everywhere.
#include <string_view>

#include "api/route.hpp"

namespace spillway::api {

[[nodiscard]] constexpr bool is_alnum(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The rules of route.hpp, for a path whose API surface is already known.
[[nodiscard]] bool is_safe_path(const Route& route) noexcept;
/// No control characters, spaces or fragments.
[[nodiscard]] bool is_safe_query(std::string_view query) noexcept;

}  // namespace spillway::api
