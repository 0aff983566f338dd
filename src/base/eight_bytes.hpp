#pragma once
/// Tests of eight bytes of text at once, for scans that rarely find anything. A test sets the top bit of each
/// byte that may match: if no bit is set, none matches; a set bit calls for a closer look, since a borrow
/// from the byte below may also have set it. Thread rule: pure. Errors: none.
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace spillway::eight_bytes {

inline constexpr std::size_t size = sizeof(std::uint64_t);
inline constexpr std::uint64_t ones = 0x0101010101010101U;
inline constexpr std::uint64_t tops = 0x80 * ones;

[[nodiscard]] inline std::uint64_t load(const char* at) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

/// Four bytes, as the low half of the word.
[[nodiscard]] inline std::uint64_t load_half(const char* at) noexcept {
    std::uint32_t half = 0;
    std::memcpy(&half, at, sizeof half);
    return half;
}

/// Bytes equal to `c`.
[[nodiscard]] constexpr std::uint64_t equal(std::uint64_t word, char c) noexcept {
    const std::uint64_t same = word ^ (ones * static_cast<unsigned char>(c));
    return (same - ones) & ~same & tops;
}

}  // namespace spillway::eight_bytes
