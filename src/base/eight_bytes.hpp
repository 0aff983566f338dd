#pragma once
/// Eight bytes of text looked at in one go, for scans that most text passes quickly. The tests on them set
/// the top bit of a byte where it may be so: none set is sure, one set asks for a closer look (a borrow from
/// the byte below may set it as well). Thread rule: pure. Errors: none.
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

/// Four bytes, as the low ones of eight.
[[nodiscard]] inline std::uint64_t load_half(const char* at) noexcept {
    std::uint32_t half = 0;
    std::memcpy(&half, at, sizeof half);
    return half;
}

/// Where a byte is `c`.
[[nodiscard]] constexpr std::uint64_t equal(std::uint64_t word, char c) noexcept {
    const std::uint64_t same = word ^ (ones * static_cast<unsigned char>(c));
    return (same - ones) & ~same & tops;
}

}  // namespace spillway::eight_bytes
