#pragma once
/// A strict pull reader of JSON text (RFC 8259): one pass, no DOM, no memory of its own, nothing read beyond
/// the text. It checks the grammar of all it passes, read or skipped, but not whether the text is UTF-8 or
/// surrogates are paired.
///
/// Errors: every function returns false once the text is not JSON (or nested too deep); after that the reader
/// cannot be used. Ownership: views into the text. Thread rule: a plain value.
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
    std::string_view raw;     ///< between the quotes, with escapes
    std::size_t escaped = 0;  ///< bytes of escapes beyond one per character
    bool escapes = false;
    bool ascii = true;  ///< certain when true

    /// Number of Unicode characters, an escape counting as one (a surrogate pair, too).
    [[nodiscard]] std::size_t characters() const noexcept;
    /// The unescaped text; copied into `buffer` only if it has escapes. Unpaired surrogates become U+FFFD.
    [[nodiscard]] std::string_view text(std::string& buffer) const;
};

namespace detail {
/// The kind of a value by its first byte.
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
    /// Maximum nesting, as in simdjson.
    static constexpr std::size_t max_depth = 1024;

    explicit JsonReader(std::string_view text) noexcept
        : begin_(text.data()), p_(text.data()), end_(text.data() + text.size()) {}

    /// The kind of the next value, after white space; none at the end or if no value follows.
    [[nodiscard]] JsonKind peek() noexcept {
        space();
        return p_ == end_ ? JsonKind::none : detail::json_kinds[static_cast<unsigned char>(*p_)];
    }
    [[nodiscard]] bool skip() noexcept;
    [[nodiscard]] bool string(JsonString& out) noexcept;
    [[nodiscard]] bool number(std::string_view& out) noexcept;
    [[nodiscard]] bool boolean(bool& out) noexcept;
    /// Calls member(const JsonString& key) for each; it must read or skip the value and return success.
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
    /// Skips the rest of an object after one of its members; only white space may follow in the text.
    [[nodiscard]] bool finish_object() noexcept {
        while (consume(','))
            if (!key() || !skip()) return false;
        return consume('}') && at_end();
    }
    /// Calls item() for each; it must read or skip the value and return success.
    template <class Item>
    [[nodiscard]] bool array(Item&& item) {
        if (!consume('[')) return false;
        if (consume(']')) return true;
        do {
            if (!item()) return false;
        } while (consume(','));
        return consume(']');
    }
    /// Whether only white space is left.
    [[nodiscard]] bool at_end() noexcept {
        space();
        return p_ == end_;
    }

    /// The reader's position from the start of the text.
    [[nodiscard]] std::size_t offset() const noexcept { return static_cast<std::size_t>(p_ - begin_); }
    [[nodiscard]] bool too_deep() const noexcept { return too_deep_; }
    /// Whether there was no character outside ASCII so far, as bytes or "\u" escape. Certain when true.
    [[nodiscard]] bool all_ascii() const noexcept { return high_ == 0 && !unicode_; }
    /// Whether every byte so far was ASCII. Certain when true.
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
    unsigned high_ = 0;     ///< not 0: some string had a byte outside ASCII
    bool unicode_ = false;  ///< some string had a "\u" escape
    bool too_deep_ = false;
};

/// A number's text as an integer: fractions are truncated, large values saturate, negative ones are nullopt.
[[nodiscard]] std::optional<std::uint64_t> json_whole(std::string_view number) noexcept;

}  // namespace spillway::api
