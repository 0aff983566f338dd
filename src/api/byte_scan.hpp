#pragma once
/// Finding the few bytes that matter in a run of text, sixteen at a time. Internal to the api room.
/// Nothing behind `end` is read. Thread rule: free functions, safe everywhere.
#include <bit>
#include <cstddef>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spillway::api {

/// The first '"', '\\' or control character in [p, end), or end. `high` gets a bit set if any byte before
/// it is not ASCII (and may get one for bytes behind it).
[[nodiscard]] inline const char* find_string_special(const char* p, const char* end,
                                                     unsigned& high) noexcept {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1f);
    while (end - p >= 16) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v);
        const __m128i hit =
            _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
        high |= static_cast<unsigned>(_mm_movemask_epi8(v));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
        if (mask != 0) return p + std::countr_zero(mask);
        p += 16;
    }
#endif
    for (; p != end; ++p) {
        const auto c = static_cast<unsigned char>(*p);
        if (c == '"' || c == '\\' || c < 0x20) return p;
        high |= c & 0x80U;
    }
    return end;
}

/// The first '\n' or '\r' in [p, end), or end.
[[nodiscard]] inline const char* find_line_end(const char* p, const char* end) noexcept {
#if defined(__SSE2__)
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r');
    while (end - p >= 16) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const auto mask = static_cast<unsigned>(
            _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, lf), _mm_cmpeq_epi8(v, cr))));
        if (mask != 0) return p + std::countr_zero(mask);
        p += 16;
    }
#endif
    while (p != end && *p != '\n' && *p != '\r') ++p;
    return p;
}

}  // namespace spillway::api
