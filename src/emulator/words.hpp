#pragma once
/// Helpers of the emulated model for words. Thread rule: pure. Errors: none.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/strings.hpp"

namespace spillway::emulator {

/// ASCII only.
[[nodiscard]] inline std::string lowered(std::string_view s) {
    std::string out(s);
    for (char& c : out) c = ascii_lower(c);
    return out;
}

[[nodiscard]] inline bool has(std::string_view s, std::string_view part) noexcept {
    return s.find(part) != std::string_view::npos;
}

inline constexpr std::uint64_t fnv_begin = 0xcbf29ce484222325ULL;

/// FNV-1a, the same on every machine; `so_far` is the hash of the text before.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view s, std::uint64_t so_far = fnv_begin) noexcept {
    for (const char c : s) so_far = (so_far ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return so_far;
}

}  // namespace spillway::emulator
