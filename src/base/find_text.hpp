#pragma once
/// Finds a short text in a longer one, sixteen places at a time with SSE2, otherwise as the standard library
/// does, which stops at each place where the first byte fits: for `"key"` in JSON that is each string's end.
/// Nothing outside `text` is read.
///
/// Thread rule: pure. Errors: none.
#include <string_view>

#include "base/find_byte.hpp"

namespace spillway {

/// Where `wanted`, of two bytes at least, first begins at `from` or behind; npos if it does not.
[[nodiscard]] inline std::size_t find_text(std::string_view text, std::string_view wanted,
                                           std::size_t from = 0) noexcept {
#if defined(__SSE2__)
    using namespace sixteen_bytes;
    for (; from + size < text.size(); from += size) {
        const char* const at = text.data() + from;
        const __m128i both = _mm_and_si128(equal(load(at), wanted[0]), equal(load(at + 1), wanted[1]));
        for (unsigned places = bits(both); places != 0; places &= places - 1) {
            const std::size_t place = from + static_cast<std::size_t>(std::countr_zero(places));
            if (text.compare(place, wanted.size(), wanted) == 0) return place;
        }
    }
#endif
    return text.find(wanted, from);
}

}  // namespace spillway
