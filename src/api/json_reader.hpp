#pragma once
/// A strict pull reader of JSON text (RFC 8259): one pass, no DOM, no memory of its own, nothing read behind
/// the text. It checks all grammar of what it passes, read or skipped; whether the text is UTF-8 and
/// surrogates are paired is not its affair.
///
/// Every function returns false once the text is not JSON (or nested too deep); the reader is of no more use
/// then. Ownership: views into the text. Thread rule: a plain value.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace spillway::api {

enum class JsonKind : std::uint8_t { object, array, string, number, boolean, null, none };

struct JsonString {
    std::string_view raw;     ///< between the quotes, escapes as they are
    std::size_t escaped = 0;  ///< bytes that escapes take beyond the characters they stand for
    bool escapes = false;
    bool ascii = true;  ///< sure when true

    /// Unicode characters, escapes counted as what they stand for (a surrogate pair is one).
    [[nodiscard]] std::size_t characters() const noexcept;
    /// The text; only escapes cost a copy, into `buffer` (replaced). Unpaired surrogates become U+FFFD.
    [[nodiscard]] std::string_view text(std::string& buffer) const;
};

namespace detail {
/// What a value is by its first byte.
inline constexpr std::array<JsonKind, 256> json_kinds = [] {
    std::array<JsonKind, 256> kinds{};
    kinds.fill(JsonKind::none);
    kinds['{'] = JsonKind::object;
    kinds['['] = JsonKind::array;
    kinds['"'] = JsonKind::string;
    kinds['t'] = kinds['f'] = JsonKind::boolean;
    kinds['n'] = JsonKind::null;
    kinds['-'] = JsonKind::number;
    for (std::size_t digit = '0'; digit <= '9'; ++digit) kinds[digit] = JsonKind::number;
    return kinds;
}();
}  // namespace detail

class JsonReader {
public:
    /// Containers within containers, as with simdjson.
    static constexpr std::size_t max_depth = 1024;

    explicit JsonReader(std::string_view text) noexcept
        : begin_(text.data()), p_(text.data()), end_(text.data() + text.size()) {}

    /// What comes next, white space skipped; none at the end or if it begins no value.
    [[nodiscard]] JsonKind peek() noexcept {
        space();
        return p_ == end_ ? JsonKind::none : detail::json_kinds[static_cast<unsigned char>(*p_)];
    }
    [[nodiscard]] bool skip() noexcept;
    [[nodiscard]] bool string(JsonString& out) noexcept;
    [[nodiscard]] bool number(std::string_view& out) noexcept;
    [[nodiscard]] bool boolean(bool& out) noexcept;
    /// member(const JsonString& key) for each; it must read or skip the value and return success.
    template <class Member>
    [[nodiscard]] bool object(Member&& member) {
        if (!consume('{')) return false;
        if (consume('}')) return true;
        do {
            JsonString key;
            if (!string(key) || !consume(':') || !member(std::as_const(key))) return false;
        } while (consume(','));
        return consume('}');
    }
    /// The rest of an object behind one of its members, and of the text: nothing may follow but white space.
    [[nodiscard]] bool finish_object() noexcept {
        while (consume(','))
            if (!key() || !skip()) return false;
        return consume('}') && at_end();
    }
    /// item() for each; it must read or skip it and return success.
    template <class Item>
    [[nodiscard]] bool array(Item&& item) {
        if (!consume('[')) return false;
        if (consume(']')) return true;
        do {
            if (!item()) return false;
        } while (consume(','));
        return consume(']');
    }
    /// Nothing but white space is left.
    [[nodiscard]] bool at_end() noexcept {
        space();
        return p_ == end_;
    }

    /// Where the reader stands, from the text's begin.
    [[nodiscard]] std::size_t offset() const noexcept { return static_cast<std::size_t>(p_ - begin_); }
    [[nodiscard]] bool too_deep() const noexcept { return too_deep_; }
    /// Nothing so far stood for a character outside ASCII, as bytes or as a "\u" escape. Sure when true.
    [[nodiscard]] bool all_ascii() const noexcept { return high_ == 0 && !unicode_; }
    /// Every byte so far was ASCII. Sure when true.
    [[nodiscard]] bool ascii_bytes() const noexcept { return high_ == 0; }

private:
    void space() noexcept {
        if (p_ != end_ && static_cast<unsigned char>(*p_) > ' ') return;  // the usual case
        while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
    }
    [[nodiscard]] bool consume(char c) noexcept {
        space();
        if (p_ == end_ || *p_ != c) return false;
        ++p_;
        return true;
    }
    [[nodiscard]] bool long_string(JsonString& out) noexcept;
    [[nodiscard]] bool digits() noexcept;
    [[nodiscard]] bool literal(std::string_view word) noexcept;
    [[nodiscard]] bool escape(JsonString& out, const char*& high_end) noexcept;
    [[nodiscard]] bool scalar() noexcept;
    [[nodiscard]] bool key() noexcept;

    const char* begin_;
    const char* p_;
    const char* end_;
    unsigned high_ = 0;     ///< a bit is set: some string had a byte outside ASCII
    bool unicode_ = false;  ///< some string had a "\u" escape
    bool too_deep_ = false;
};

/// A number's text as a whole number: fractions are cut, beyond the largest saturates, below 0 is nothing.
[[nodiscard]] std::optional<std::uint64_t> json_whole(std::string_view number) noexcept;

}  // namespace spillway::api
