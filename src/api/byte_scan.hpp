#pragma once
/// Finds the few bytes that matter in a text, many at a time. Internal to the api room.
/// Nothing beyond `end` is read. Thread rule: free functions, safe everywhere.
#include "base/find_byte.hpp"

namespace spillway::api {

#if defined(__SSE2__)
namespace detail {
[[nodiscard]] inline __m128i quote_or_backslash(__m128i v) noexcept {
    return _mm_or_si128(sixteen_bytes::equal(v, '"'), sixteen_bytes::equal(v, '\\'));
}
[[nodiscard]] inline __m128i string_special(__m128i v) noexcept {
    return _mm_or_si128(quote_or_backslash(v), sixteen_bytes::at_most(v, 0x1f));
}
}  // namespace detail
#endif

/// The first '"', '\\' or control character in [p, end), or end. Sets a bit of `high` if any byte before it
/// is not ASCII (and perhaps for bytes after it).
[[nodiscard]] inline const char* find_string_special(const char* p, const char* end,
                                                     unsigned& high) noexcept {
#if defined(__SSE2__)
    using namespace sixteen_bytes;
    while (end - p >= 4 * size) {
        const __m128i a = load(p);
        const __m128i b = load(p + size);
        const __m128i c = load(p + 2 * size);
        const __m128i d = load(p + 3 * size);
        const __m128i least = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));
        const __m128i hit =
            _mm_or_si128(_mm_or_si128(detail::quote_or_backslash(a), detail::quote_or_backslash(b)),
                         _mm_or_si128(detail::quote_or_backslash(c), detail::quote_or_backslash(d)));
        if (bits(_mm_or_si128(hit, at_most(least, 0x1f))) != 0) break;
        high |= bits(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)));
        p += 4 * size;
    }
    for (; end - p >= size; p += size) {
        const __m128i v = load(p);
        high |= bits(v);
        if (const unsigned found = bits(detail::string_special(v)); found != 0)
            return p + std::countr_zero(found);
    }
#endif
    for (; p != end; ++p) {
        const auto c = static_cast<unsigned char>(*p);
        if (c == '"' || c == '\\' || c < 0x20) return p;
        high |= c & 0x80U;
    }
    return end;
}

/// The number of UTF-8 continuation bytes (0x80 to 0xbf) in [p, end).
[[nodiscard]] inline std::size_t count_continuations(const char* p, const char* end) noexcept {
    std::size_t count = 0;
#if defined(__SSE2__)
    using namespace sixteen_bytes;
    __m128i sums = _mm_setzero_si128();
    for (; end - p >= size; p += size) {
        const __m128i ones = _mm_and_si128(_mm_cmplt_epi8(load(p), all('\xc0')), all(1));
        sums = _mm_add_epi64(sums, _mm_sad_epu8(ones, _mm_setzero_si128()));
    }
    sums = _mm_add_epi64(sums, _mm_unpackhi_epi64(sums, sums));
    count = static_cast<std::size_t>(_mm_cvtsi128_si64(sums));
#endif
    for (; p != end; ++p) count += (static_cast<unsigned char>(*p) & 0xc0U) == 0x80U ? 1U : 0U;
    return count;
}

struct LineEnd {
    static bool has(unsigned char c) noexcept { return c == '\n' || c == '\r'; }
#if defined(__SSE2__)
    static __m128i has(__m128i v) noexcept {
        return _mm_or_si128(sixteen_bytes::equal(v, '\n'), sixteen_bytes::equal(v, '\r'));
    }
#endif
};

/// The first '\n' or '\r' in [p, end), or end.
[[nodiscard]] inline const char* find_line_end(const char* p, const char* end) noexcept {
    return find_byte<LineEnd>(p, end);
}

}  // namespace spillway::api
