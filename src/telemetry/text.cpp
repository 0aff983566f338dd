#include "telemetry/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/eight_bytes.hpp"
#include "base/strings.hpp"

namespace spillway::telemetry {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

/// ASCII that stands for itself in a JSON string.
constexpr bool is_plain(char c) noexcept {
    const auto u = static_cast<unsigned char>(c);
    return u >= 0x20 && u < 0x7f && c != '"' && c != '\\';
}

/// Sure when true: eight bytes that are all plain.
bool is_plain_word(const char* at) noexcept {
    using namespace eight_bytes;
    const std::uint64_t word = load(at);
    const std::uint64_t control = (word - ones * 0x20) | (word + ones);  // below 0x20, or 0x7f
    return (((word | control) & tops) | equal(word, '"') | equal(word, '\\')) == 0;
}

void append_escaped_ascii(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto u = static_cast<unsigned char>(c);
    out += "\\u00";
    out += kHex[u >> 4U];
    out += kHex[u & 0xfU];
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

void append_json_text(std::string& out, std::string_view s, std::size_t max_bytes) {
    std::size_t i = 0;
    while (i < s.size()) {
        const std::size_t end = std::min(s.size(), max_bytes);
        std::size_t plain = i;
        while (plain + eight_bytes::size <= end && is_plain_word(s.data() + plain))
            plain += eight_bytes::size;
        while (plain < end && is_plain(s[plain])) ++plain;
        out.append(s, i, plain - i);
        i = plain;
        if (i == s.size()) return;
        const std::size_t n = utf8_sequence(s.substr(i));
        if (i + std::max<std::size_t>(n, 1) > max_bytes) {
            out += kEllipsis;
            return;
        }
        if (n == 0)
            out += kReplacement;
        else if (n == 1)
            append_escaped_ascii(out, s[i]);
        else
            out.append(s, i, n);
        i += std::max<std::size_t>(n, 1);
    }
}

void append_json_target(std::string& out, std::string_view target, std::size_t max_bytes) {
    target = without_authority(target);
    const std::size_t mark = target.find('?');
    append_json_text(out, target.substr(0, mark), max_bytes);
    if (mark == std::string_view::npos) return;
    std::string_view query = target.substr(mark + 1);
    const std::size_t limit = out.size() + max_bytes;
    char separator = '?';
    while (!query.empty()) {
        if (out.size() >= limit) {
            out += kEllipsis;
            return;
        }
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = pair.find('=');
        out += separator;
        separator = '&';
        // A bare word may itself be the secret.
        const std::string_view name =
            equals == std::string_view::npos ? std::string_view{} : pair.substr(0, equals);
        if (harmless_parameter(name)) {
            append_json_text(out, pair, max_bytes);
        } else if (equals == std::string_view::npos) {
            out += "***";
        } else {
            append_json_text(out, name, max_bytes);
            out += "=***";
        }
    }
}

void append_milliseconds(std::string& out, Duration d) {
    const std::int64_t us =
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(d).count());
    fmt::format_int whole(us / 1000);
    out.append(whole.data(), whole.size());
    const auto rest = static_cast<int>(us % 1000);
    const char digits[4] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                            static_cast<char>('0' + rest % 10)};
    out.append(digits, sizeof digits);
}

void Rfc3339::append(std::string& out, Wall time) {
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
    out += text_;
    out.append(tail, sizeof tail);
}

}  // namespace spillway::telemetry
