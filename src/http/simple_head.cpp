#include "http/simple_head.hpp"

#include <optional>

#include "base/find_byte.hpp"
#include "base/strings.hpp"
#include "http/parser.hpp"
#include "http/token.hpp"

namespace spillway::http {
namespace {

constexpr std::string_view version_text = "HTTP/1.1";
constexpr std::size_t most_digits = 18;  // no overflow in 64 bits

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// A control character but no tab.
struct Control {
    static bool has(unsigned char c) noexcept { return (c < 0x20 && c != '\t') || c == 0x7f; }
#if defined(__SSE2__)
    static __m128i has(__m128i v) noexcept {
        using namespace sixteen_bytes;
        return _mm_or_si128(_mm_andnot_si128(equal(v, '\t'), at_most(v, 0x1f)), equal(v, 0x7f));
    }
#endif
};

/// All but letters, digits and '-', of which nearly all names are made.
struct Unusual {
    static bool has(unsigned char c) noexcept {
        const char lower = ascii_lower(static_cast<char>(c));
        return !((lower >= 'a' && lower <= 'z') || is_digit(lower) || lower == '-');
    }
#if defined(__SSE2__)
    static __m128i has(__m128i v) noexcept {
        using namespace sixteen_bytes;
        const __m128i letter = within(_mm_or_si128(v, all(0x20)), 'a', 'z');
        const __m128i other = _mm_or_si128(within(v, '0', '9'), equal(v, '-'));
        return _mm_cmpeq_epi8(_mm_or_si128(letter, other), _mm_setzero_si128());
    }
#endif
};

/// What cannot be in a target.
struct NoTarget {
    static bool has(unsigned char c) noexcept { return c <= ' ' || c >= 0x7f; }
#if defined(__SSE2__)
    static __m128i has(__m128i v) noexcept {
        using namespace sixteen_bytes;
        return _mm_or_si128(_mm_cmplt_epi8(v, all(' ' + 1)), equal(v, 0x7f));  // as signed: 0x80 on too
    }
#endif
};

/// The fields of a head, and what they say of the message's end.
class FieldLines {
public:
    FieldLines(std::string_view text, Fields& fields) noexcept
        : p_(text.data()), end_(text.data() + text.size()), fields_(fields) {}

    /// All lines up to the empty one, which must be the last.
    [[nodiscard]] bool read() {
        while (p_ != end_ && *p_ != '\r')
            if (!line()) return false;
        return std::string_view(p_, static_cast<std::size_t>(end_ - p_)) == "\r\n";
    }
    [[nodiscard]] const std::optional<std::uint64_t>& length() const noexcept { return length_; }

private:
    [[nodiscard]] bool line() {
        const char* const begin = p_;
        p_ = find_byte<Unusual>(p_, end_);
        while (p_ != end_ && is_token_char(*p_)) ++p_;
        if (p_ == begin || p_ == end_ || *p_ != ':') return false;
        const std::string_view name(begin, static_cast<std::size_t>(p_ - begin));
        const char* const colon = p_;
        ++p_;
        while (p_ != end_ && (*p_ == ' ' || *p_ == '\t')) ++p_;
        const char* const first = p_;
        p_ = find_byte<Control>(p_, end_);
        if (end_ - p_ < 3 || p_[0] != '\r' || p_[1] != '\n' || p_[2] == ' ' || p_[2] == '\t') return false;
        const char* last = p_;
        while (last != first && (last[-1] == ' ' || last[-1] == '\t')) --last;
        const std::string_view value(first, static_cast<std::size_t>(last - first));
        const bool in_line = first == colon + 2 && colon[1] == ' ' && last == p_;
        p_ += 2;
        if (!plain(name, value) || fields_.size() == most_fields) return false;
        fields_.add(name, value, in_line);
        return true;
    }

    /// False for fields that say more about the message than this reader understands.
    [[nodiscard]] bool plain(std::string_view name, std::string_view value) noexcept {
        switch (name.size()) {
            case 6:
                return !iequals(name, "expect");
            case 7:
                return !iequals(name, "upgrade");
            case 10:
                return !iequals(name, "connection") || iequals(value, "keep-alive");
            case 14:
                return !iequals(name, "content-length") || read_length(value);
            case 16:
                return !iequals(name, "proxy-connection");
            case 17:
                return !iequals(name, "transfer-encoding");
            default:
                return true;
        }
    }
    [[nodiscard]] bool read_length(std::string_view digits) noexcept {
        if (length_ || digits.empty() || digits.size() > most_digits) return false;
        std::uint64_t value = 0;
        for (const char c : digits) {
            if (!is_digit(c)) return false;
            value = value * 10 + static_cast<std::uint64_t>(c - '0');
        }
        length_ = value;
        return true;
    }

    const char* p_;
    const char* end_;
    Fields& fields_;
    std::optional<std::uint64_t> length_;
};

template <class Head>
void set_framing(Head& head, std::uint64_t length) noexcept {
    head.version = 11;
    head.keep_alive = true;
    head.content_length = length;
    head.framing = length > 0 ? Framing::length : Framing::none;
}

}  // namespace

bool read_simple_head(std::string_view text, RequestHead& head) {
    std::size_t at = 0;
    while (at < text.size() && text[at] >= 'A' && text[at] <= 'Z') ++at;
    if (at == 0 || at == text.size() || text[at] != ' ') return false;
    head.method = text.substr(0, at);
    const std::size_t target = ++at;
    at = static_cast<std::size_t>(find_byte<NoTarget>(text.data() + at, text.data() + text.size()) -
                                  text.data());
    if (at == target || text.size() - at < version_text.size() + 3) return false;
    head.target = text.substr(target, at - target);
    if (text[at] != ' ' || text.substr(at + 1, version_text.size()) != version_text) return false;
    at += 1 + version_text.size();
    if (text.substr(at, 2) != "\r\n") return false;
    FieldLines lines(text.substr(at + 2), head.fields);
    if (!lines.read()) return false;
    head.expects_continue = false;
    set_framing(head, lines.length().value_or(0));
    return true;
}

bool read_simple_head(std::string_view text, ResponseHead& head) {
    constexpr std::size_t status = version_text.size() + 1;
    if (text.size() < status + 5 || !text.starts_with(version_text) || text[status - 1] != ' ') return false;
    unsigned code = 0;
    for (std::size_t i = status; i < status + 3; ++i) {
        if (!is_digit(text[i])) return false;
        code = code * 10 + static_cast<unsigned>(text[i] - '0');
    }
    if (code < 200 || code > 599 || code == 204 || code == 304 || text[status + 3] != ' ') return false;
    const char* const begin = text.data() + status + 4;
    const char* const end = find_byte<Control>(begin, text.data() + text.size());
    const auto at = static_cast<std::size_t>(end - text.data());
    if (text.substr(at, 2) != "\r\n") return false;
    head.status = code;
    head.reason = {begin, static_cast<std::size_t>(end - begin)};
    FieldLines lines(text.substr(at + 2), head.fields);
    if (!lines.read() || !lines.length()) return false;
    set_framing(head, *lines.length());
    return true;
}

}  // namespace spillway::http
