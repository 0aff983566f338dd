#pragma once
/// Finds the first byte of a class in a piece of text, sixteen bytes at a time with SSE2 (which every x86-64
/// has), otherwise one by one. Nothing outside [p, end) is read.
///
/// A class is a type with `static bool has(unsigned char)`, and the same for sixteen bytes at once:
/// `static __m128i has(__m128i)`, which is 0xff for each byte in the class. Thread rule: pure. Errors: none.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spillway {

#if defined(__SSE2__)
namespace sixteen_bytes {

inline constexpr std::ptrdiff_t size = 16;

[[nodiscard]] inline __m128i load(const char* at) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));  // NOLINT: what the intrinsic takes
}
[[nodiscard]] inline __m128i all(char c) noexcept {
    return _mm_set1_epi8(c);
}
/// Bytes that are at most `most`, as unsigned numbers.
[[nodiscard]] inline __m128i at_most(__m128i bytes, char most) noexcept {
    return _mm_cmpeq_epi8(_mm_min_epu8(bytes, all(most)), bytes);
}
[[nodiscard]] inline __m128i equal(__m128i bytes, char c) noexcept {
    return _mm_cmpeq_epi8(bytes, all(c));
}
/// Bytes from `first` to `last`.
[[nodiscard]] inline __m128i within(__m128i bytes, char first, char last) noexcept {
    return at_most(_mm_sub_epi8(bytes, all(first)), static_cast<char>(last - first));
}
/// One bit for each byte, set if the byte is.
[[nodiscard]] inline unsigned bits(__m128i bytes) noexcept {
    return static_cast<unsigned>(_mm_movemask_epi8(bytes));
}
/// Loads 4 to 15 bytes: the first `half`, then the last `half`; the two may overlap.
[[nodiscard]] inline __m128i load_ends(const char* p, const char* end, std::ptrdiff_t& half) noexcept {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    half = end - p >= 8 ? 8 : 4;
    if (half == 8) {
        std::memcpy(&first, p, 8);
        std::memcpy(&last, end - 8, 8);
    } else {
        std::memcpy(&first, p, 4);
        std::memcpy(&last, end - 4, 4);
        first |= last << 32U;
        last = 0;
    }
    return _mm_set_epi64x(static_cast<long long>(last), static_cast<long long>(first));
}

}  // namespace sixteen_bytes
#endif

/// The first byte in [p, end) that is in the class, or end.
template <class Class>
[[nodiscard]] inline const char* find_byte(const char* p, const char* end) noexcept {
#if defined(__SSE2__)
    using namespace sixteen_bytes;
    if (end - p >= size) {
        for (;;) {
            if (const unsigned found = bits(Class::has(load(p))); found != 0)
                return p + std::countr_zero(found);
            p += size;
            if (p == end) return end;
            if (end - p < size) p = end - size;  // overlaps bytes already searched in vain
        }
    }
    if (end - p >= 4) {
        std::ptrdiff_t half = 0;
        const __m128i ends = load_ends(p, end, half);
        const unsigned found = bits(Class::has(ends)) & ((1U << static_cast<unsigned>(2 * half)) - 1U);
        if (found == 0) return end;
        const std::ptrdiff_t at = std::countr_zero(found);
        return at < half ? p + at : end - 2 * half + at;
    }
#endif
    while (p != end && !Class::has(static_cast<unsigned char>(*p))) ++p;
    return p;
}

}  // namespace spillway
