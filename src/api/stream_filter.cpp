// Which events of a committed stream are worth a parse.
#include <array>

#include "api/stream_event.hpp"
#include "base/find_byte.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

constexpr std::array<std::string_view, 4> ends{"failed\"", "completed\"", "incomplete\"", "cancelled\""};
constexpr std::string_view response = "response.";

/// The size of the word that makes an event matter, if `text` begins with one (its quote included).
std::size_t word_size(std::string_view text) noexcept {
    const auto is = [text](std::string_view word) { return text.starts_with(word) ? word.size() : 0; };
    switch (text.front()) {
        case 'u':
            return is("usage\"");
        case 'e':
            return is("error\"");
        case 'f':
            return is("finish_reason\"");
        case 's':
            return is("statusCode\"");
        case 'r':
            if (is(response) == 0) return 0;
            for (const std::string_view end : ends)
                if (text.substr(response.size()).starts_with(end)) return response.size() + end.size();
            return 0;
        default:
            return 0;
    }
}

/// Whether `text`, which stands behind a quote, begins with a word that makes the event matter: a key
/// whose value is not null, or a type.
bool is_telling(std::string_view text) noexcept {
    const std::size_t size = word_size(text);
    if (size == 0) return false;
    text = trim(text.substr(size));
    if (!text.starts_with(':')) return true;
    return !trim(text.substr(1)).starts_with("null");
}

/// A quote and what one of the words begins with, so that nearly all others fall out at once.
bool may_tell(const char* p) noexcept {
    return p[0] == '"' && (p[1] == 'u' || p[1] == 'e' || p[1] == 'f' || p[1] == 's' || p[1] == 'r');
}
#if defined(__SSE2__)
/// A bit for each of sixteen places where that is so.
unsigned may_tell_16(const char* p) noexcept {
    using namespace sixteen_bytes;
    const __m128i next = load(p + 1);
    const __m128i first = _mm_or_si128(_mm_or_si128(_mm_or_si128(equal(next, 'u'), equal(next, 'e')),
                                                    _mm_or_si128(equal(next, 'f'), equal(next, 's'))),
                                       equal(next, 'r'));
    return bits(_mm_and_si128(equal(load(p), '"'), first));
}
#endif

}  // namespace

bool EventClassifier::may_matter(std::string_view event, std::string_view data) noexcept {
    if (event == "error" || event == "response.failed" || event == "response.completed" ||
        event == "response.incomplete")
        return true;
    data = trim(data);
    if (data.empty()) return false;
    if (data.front() != '{') return true;  // [DONE], or not understood
    const char* p = data.data();
    const char* const end = p + data.size();
    const auto tells = [end](const char* quote) {
        return is_telling({quote + 1, static_cast<std::size_t>(end - quote - 1)});
    };
    // Quotes within strings are examined, too: they are escaped, and so is what ends a word that is quoted
    // there.
#if defined(__SSE2__)
    for (; end - p > sixteen_bytes::size; p += sixteen_bytes::size)
        for (unsigned found = may_tell_16(p); found != 0; found &= found - 1)
            if (tells(p + std::countr_zero(found))) return true;
#endif
    for (; end - p > 1; ++p)
        if (may_tell(p) && tells(p)) return true;
    return false;
}

}  // namespace spillway::api
