#include "api/json_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "api/byte_scan.hpp"
#include "base/hex.hpp"
#include "base/utf8.hpp"

namespace spillway::api {
namespace {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// The four digits at `p`; -1 if they are not hexadecimal.
int hex4(const char* p) noexcept {
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_value(p[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

constexpr bool is_high(int unit) noexcept {
    return unit >= 0xd800 && unit < 0xdc00;
}
constexpr bool is_low(int unit) noexcept {
    return unit >= 0xdc00 && unit < 0xe000;
}

char simple_escape(char c) noexcept {
    switch (c) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return c;
    }
}

/// Appends what "\uXXXX" at `p` stands for; returns the text behind it.
const char* append_unicode(std::string& out, const char* p, const char* end) {
    const int unit = hex4(p + 2);
    p += 6;
    if (is_high(unit) && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        const int low = hex4(p + 2);
        if (is_low(low)) {
            append_code_point(out, 0x10000U + ((static_cast<std::uint32_t>(unit) - 0xd800U) << 10U) +
                                       (static_cast<std::uint32_t>(low) - 0xdc00U));
            return p + 6;
        }
    }
    append_code_point(out, is_high(unit) || is_low(unit) ? 0xfffdU : static_cast<std::uint32_t>(unit));
    return p;
}

}  // namespace

std::size_t JsonString::characters() const noexcept {
    const std::size_t count = raw.size() - escaped;
    return ascii ? count : count - count_continuations(raw.data(), raw.data() + raw.size());
}

std::string_view JsonString::text(std::string& buffer) const {
    if (!escapes) return raw;
    buffer.clear();
    const char* p = raw.data();
    const char* const end = p + raw.size();
    while (p != end) {
        if (*p != '\\') {
            buffer.push_back(*p++);
        } else if (p[1] == 'u') {
            p = append_unicode(buffer, p, end);
        } else {
            buffer.push_back(simple_escape(p[1]));
            p += 2;
        }
    }
    return buffer;
}

bool JsonReader::escape(JsonString& out, const char*& high_end) noexcept {
    out.escapes = true;
    if (end_ - p_ < 2) return false;
    switch (p_[1]) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
            p_ += 2;
            out.escaped += 1;
            return true;
        case 'u':
            break;
        default:
            return false;
    }
    if (end_ - p_ < 6) return false;
    const int unit = hex4(p_ + 2);
    if (unit < 0) return false;
    // The second half of a pair is no character of its own.
    const bool pair = is_low(unit) && high_end == p_;
    out.escaped += pair ? 6 : 5;
    p_ += 6;
    high_end = is_high(unit) ? p_ : nullptr;
    unicode_ = true;
    return true;
}

bool JsonReader::string(JsonString& out) noexcept {
    if (!consume('"')) {
        out = {};
        return false;
    }
#if defined(__SSE2__)
    // The usual case: a key or a short value without escapes.
    if (end_ - p_ >= sixteen_bytes::size) {
        const __m128i v = sixteen_bytes::load(p_);
        const unsigned found = sixteen_bytes::bits(detail::string_special(v));
        const int length = std::countr_zero(found);
        if (found != 0 && p_[length] == '"') {
            const unsigned high = sixteen_bytes::bits(v) & (found ^ (found - 1));
            out = {{p_, static_cast<std::size_t>(length)}, 0, false, high == 0};
            high_ |= high;
            p_ += length + 1;
            return true;
        }
    }
#endif
    return long_string(out);
}

/// Behind the opening quote.
bool JsonReader::long_string(JsonString& out) noexcept {
    out = {};
    const char* const first = p_;
    const char* high_end = nullptr;
    unsigned high = 0;
    for (;;) {
        p_ = find_string_special(p_, end_, high);
        if (p_ == end_) return false;
        if (*p_ == '"') break;
        if (*p_ != '\\' || !escape(out, high_end)) return false;
    }
    out.raw = {first, static_cast<std::size_t>(p_ - first)};
    out.ascii = high == 0;
    high_ |= high;
    ++p_;
    return true;
}

bool JsonReader::digits() noexcept {
    const char* const first = p_;
    while (p_ != end_ && is_digit(*p_)) ++p_;
    return p_ != first;
}

bool JsonReader::number(std::string_view& out) noexcept {
    space();
    const char* const first = p_;
    if (p_ != end_ && *p_ == '-') ++p_;
    if (p_ != end_ && *p_ == '0')
        ++p_;
    else if (!digits())
        return false;
    if (p_ != end_ && *p_ == '.') {
        ++p_;
        if (!digits()) return false;
    }
    if (p_ != end_ && (*p_ == 'e' || *p_ == 'E')) {
        ++p_;
        if (p_ != end_ && (*p_ == '+' || *p_ == '-')) ++p_;
        if (!digits()) return false;
    }
    out = {first, static_cast<std::size_t>(p_ - first)};
    return true;
}

bool JsonReader::literal(std::string_view word) noexcept {
    if (static_cast<std::size_t>(end_ - p_) < word.size() || std::string_view(p_, word.size()) != word)
        return false;
    p_ += word.size();
    return true;
}

bool JsonReader::boolean(bool& out) noexcept {
    space();
    out = p_ != end_ && *p_ == 't';
    return literal(out ? "true" : "false");
}

bool JsonReader::scalar() noexcept {
    JsonString text;
    std::string_view number_text;
    bool flag = false;
    switch (peek()) {
        case JsonKind::string:
            return string(text);
        case JsonKind::number:
            return number(number_text);
        case JsonKind::boolean:
            return boolean(flag);
        case JsonKind::null:
            return literal("null");
        default:
            return false;
    }
}

bool JsonReader::key() noexcept {
    JsonString text;
    return string(text) && consume(':');
}

bool JsonReader::skip() noexcept {
    JsonKind kind = peek();
    if (kind != JsonKind::object && kind != JsonKind::array) return scalar();
    // No recursion: one bit per level distinguishes objects from arrays.
    std::array<std::uint64_t, max_depth / 64> objects{};
    std::size_t depth = 0;
    const auto in_object = [&] { return ((objects[(depth - 1) / 64] >> ((depth - 1) % 64)) & 1U) != 0; };
    for (;;) {
        kind = peek();
        if (kind == JsonKind::object || kind == JsonKind::array) {
            if (depth == max_depth) {
                too_deep_ = true;
                return false;
            }
            const std::uint64_t bit = std::uint64_t{1} << (depth % 64);
            std::uint64_t& word = objects[depth / 64];
            word = kind == JsonKind::object ? word | bit : word & ~bit;
            ++depth;
            ++p_;
            if (!consume(in_object() ? '}' : ']')) {
                if (in_object() && !key()) return false;
                continue;
            }
            --depth;
        } else if (!scalar()) {
            return false;
        }
        for (;; --depth) {  // behind a value: close what ends here
            if (depth == 0) return true;
            if (consume(',')) break;
            if (!consume(in_object() ? '}' : ']')) return false;
        }
        if (in_object() && !key()) return false;
    }
}

std::optional<std::uint64_t> json_whole(std::string_view number) noexcept {
    if (number.empty() || number.front() == '-') return std::nullopt;
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    const char* const end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, value);
    const bool integer = rest == end;
    if (integer) return error == std::errc{} ? value : most;
    double real = 0;
    const auto parsed = std::from_chars(number.data(), end, real);
    if (parsed.ec == std::errc::result_out_of_range) {
        // Too large, or too near to 0.
        const std::size_t e = number.find_first_of("eE");
        const bool tiny =
            number.front() == '0' || number.find('-', std::min(e, number.size())) != std::string_view::npos;
        return tiny ? 0 : most;
    }
    if (parsed.ec != std::errc{} || !(real >= 0)) return std::nullopt;
    return real >= 18446744073709549568.0 ? most : static_cast<std::uint64_t>(real);
}

}  // namespace spillway::api
