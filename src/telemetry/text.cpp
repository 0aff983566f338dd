#include "telemetry/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/find_byte.hpp"
#include "base/strings.hpp"

namespace spillway::telemetry {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

/// All but ASCII that stands for itself in a JSON string.
struct Special {
    static bool has(unsigned char c) noexcept { return c < 0x20 || c >= 0x7f || c == '"' || c == '\\'; }
#if defined(__SSE2__)
    static __m128i has(__m128i v) noexcept {
        using namespace sixteen_bytes;
        const __m128i below = _mm_cmplt_epi8(v, all(0x20));  // as signed: 0x80 on too
        const __m128i marks = _mm_or_si128(equal(v, '"'), equal(v, '\\'));
        return _mm_or_si128(_mm_or_si128(below, marks), equal(v, 0x7f));
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

bool harmless_parameter(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 8> kNames{"api-version", "deployment", "model",  "limit",
                                                     "order",       "after",      "before", "stream"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string_view without_authority(std::string_view target) noexcept {
    if (!istarts_with(target, "http://") && !istarts_with(target, "https://")) return target;
    target.remove_prefix(target.find("//") + 2);
    const std::size_t end = target.find_first_of("/?");
    return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
}

}  // namespace

std::size_t utf8_sequence(std::string_view s) noexcept {
    if (s.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const unsigned char b = byte(0);
    if (b < 0x80) return 1;
    // The second byte's range shuts out overlong forms, surrogates and what lies past U+10FFFF.
    std::size_t n = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (b >= 0xc2 && b <= 0xdf) {
        n = 2;
    } else if (b >= 0xe0 && b <= 0xef) {
        n = 3;
        if (b == 0xe0) low = 0xa0;
        if (b == 0xed) high = 0x9f;
    } else if (b >= 0xf0 && b <= 0xf4) {
        n = 4;
        if (b == 0xf0) low = 0x90;
        if (b == 0xf4) high = 0x8f;
    }
    if (n == 0 || s.size() < n || byte(1) < low || byte(1) > high) return 0;
    for (std::size_t i = 2; i < n; ++i)
        if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
    return n;
}

void append_utf8(std::string& out, std::string_view s) {
    while (!s.empty()) {
        const std::size_t n = utf8_sequence(s);
        out += n == 0 ? kReplacement : s.substr(0, n);
        s.remove_prefix(std::max<std::size_t>(n, 1));
    }
}

void append_json_text(Pen& out, std::string_view s, std::size_t max_bytes) {
    const std::string_view whole = s.substr(0, max_bytes);
    const char* const end = whole.data() + whole.size();
    const auto plain = static_cast<std::size_t>(find_byte<Special>(whole.data(), end) - whole.data());
    out.text(whole.substr(0, plain));
    if (plain < s.size()) append_special(out, s, plain, max_bytes);
}

void append_json_target(Pen& out, std::string_view target, std::size_t max_bytes) {
    target = without_authority(target);
    const std::size_t mark = target.find('?');
    append_json_text(out, target.substr(0, mark), max_bytes);
    if (mark == std::string_view::npos) return;
    std::string_view query = target.substr(mark + 1);
    const std::size_t limit = out.written() + max_bytes;
    char separator = '?';
    while (!query.empty()) {
        if (out.written() >= limit) {
            out.text(kEllipsis);
            return;
        }
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = pair.find('=');
        out.byte(separator);
        separator = '&';
        // A bare word may itself be the secret.
        const std::string_view name =
            equals == std::string_view::npos ? std::string_view{} : pair.substr(0, equals);
        if (harmless_parameter(name)) {
            append_json_text(out, pair, max_bytes);
        } else if (equals == std::string_view::npos) {
            out.text("***");
        } else {
            append_json_text(out, name, max_bytes);
            out.text("=***");
        }
    }
}

void append_milliseconds(Pen& out, Duration d) {
    const std::int64_t us =
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(d).count());
    out.number(us / 1000);
    const auto rest = static_cast<int>(us % 1000);
    const char digits[4] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                            static_cast<char>('0' + rest % 10)};
    out.text({digits, sizeof digits});
}

void Rfc3339::append(Pen& out, Wall time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    if (second != second_) {
        const auto day = std::chrono::floor<std::chrono::days>(second);
        const std::chrono::year_month_day date(day);
        const std::chrono::hh_mm_ss clock(second - day);
        text_.clear();
        fmt::format_to(std::back_inserter(text_), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
                       static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
        second_ = second;
    }
    const auto ms =
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time - second).count());
    const char tail[5] = {'.', static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
                          static_cast<char>('0' + ms % 10), 'Z'};
    out.text(text_);
    out.text({tail, sizeof tail});
}

void Rfc3339::append(std::string& out, Wall time) {
    Pen pen(out, 32);
    append(pen, time);
}

}  // namespace spillway::telemetry
