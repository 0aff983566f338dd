#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/find_byte.hpp"
#include "base/utf8.hpp"

namespace spillway {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

/// All but ASCII that stands for itself in a JSON string; DEL is escaped for the terminals that logs are
/// shown on.
struct Special {
    static bool has(unsigned char c) noexcept { return c < 0x20 || c >= 0x7f || c == '"' || c == '\\'; }
#if defined(__SSE2__)
    static __m128i has(__m128i v) noexcept {
        using namespace sixteen_bytes;
        const __m128i below = _mm_cmplt_epi8(v, all(0x20));  // as signed: 0x80 on too
        const __m128i marks = _mm_or_si128(equal(v, '"'), _mm_or_si128(equal(v, '\\'), equal(v, 0x7f)));
        return _mm_or_si128(below, marks);
    }
#endif
};

void append_escaped_ascii(Pen& out, char c) {
    switch (c) {
        case '"':
            return out.text("\\\"");
        case '\\':
            return out.text("\\\\");
        case '\n':
            return out.text("\\n");
        case '\r':
            return out.text("\\r");
        case '\t':
            return out.text("\\t");
        default:
            break;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto u = static_cast<unsigned char>(c);
    out.text("\\u00");
    out.byte(kHex[u >> 4U]);
    out.byte(kHex[u & 0xfU]);
}

/// From the first byte on that needs more than to be copied; `i` is where it is.
void append_special(Pen& out, std::string_view s, std::size_t i, std::size_t max_bytes) {
    while (i < s.size()) {
        const std::size_t n = utf8_sequence(s.substr(i));
        if (i + std::max<std::size_t>(n, 1) > max_bytes) return out.text(kEllipsis);
        if (n == 0)
            out.text(kReplacement);
        else if (n == 1 && Special::has(static_cast<unsigned char>(s[i])))
            append_escaped_ascii(out, s[i]);
        else
            out.text(s.substr(i, n));
        i += std::max<std::size_t>(n, 1);
        const std::string_view rest = s.substr(i, std::max(max_bytes, i) - i);
        const char* const end = rest.data() + rest.size();
        const auto plain = static_cast<std::size_t>(find_byte<Special>(rest.data(), end) - rest.data());
        out.text(rest.substr(0, plain));
        i += plain;
    }
}

}  // namespace

void append_json_text(Pen& out, std::string_view s, std::size_t max_bytes) {
    const std::string_view whole = s.substr(0, max_bytes);
    const char* const end = whole.data() + whole.size();
    const auto plain = static_cast<std::size_t>(find_byte<Special>(whole.data(), end) - whole.data());
    out.text(whole.substr(0, plain));
    if (plain < s.size()) append_special(out, s, plain, max_bytes);
}

void append_json_string(std::string& out, std::string_view text) {
    Pen pen(out, text.size() + 2);
    pen.byte('"');
    append_json_text(pen, text);
    pen.byte('"');
}

JsonWriter& JsonWriter::number(double value) {
    return std::isfinite(value) ? raw(fmt::format("{:.15g}", value)) : null();
}

JsonWriter& JsonWriter::number(double value, int decimals) {
    return std::isfinite(value) ? raw(fmt::format("{:.{}f}", value, decimals)) : null();
}

}  // namespace spillway
