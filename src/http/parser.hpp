#pragma once
/// HTTP/1.1 heads and chunked bodies (RFC 9112) without allocation: views into the bytes handed in. Internal
/// to the http room.
///
/// A head is parsed in one go once all of it is there. Strict, so that no two readers of a message see
/// different ones: bare CR or LF, obs-fold (§5.2), spaces around a field's name, transfer codings but
/// chunked (§6.1), Transfer-Encoding in HTTP/1.0 or beside Content-Length, and lengths that differ are
/// refused; trailer fields are read and dropped (§7.1.2). No more than `most_fields` field lines.
#include <bit>
#include <boost/container/small_vector.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/strings.hpp"
#include "http/message.hpp"

namespace spillway::http {

enum class ParseState : std::uint8_t { need_more, head_done, error };

/// What is wrong with a head.
enum class HeadFault : std::uint8_t { none, malformed, unknown_coding, too_many_fields };

inline constexpr std::size_t most_fields = 100;

/// The size of the head at the start of `bytes`, or 0 if its end is not there yet. `scanned` says how far
/// earlier calls looked, so that a head that comes byte by byte is not searched over and over.
[[nodiscard]] inline std::size_t find_head_end(std::string_view bytes, std::size_t& scanned) noexcept {
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* p = begin + scanned;
#if defined(__SSE2__)
    // Sixteen places at a time where a CR has another two bytes on; lines are too short for memchr().
    const __m128i cr = _mm_set1_epi8('\r');
    for (; end - p >= 19; p += 16) {
        const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));       // NOLINT
        const __m128i there = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 2));  // NOLINT
        auto mask = static_cast<unsigned>(
            _mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(here, cr), _mm_cmpeq_epi8(there, cr))));
        for (; mask != 0; mask &= mask - 1) {
            const char* const at = p + std::countr_zero(mask);
            if (at[1] == '\n' && at[3] == '\n') return static_cast<std::size_t>(at - begin) + 4;
        }
    }
#endif
    const auto at = bytes.find("\r\n\r\n", static_cast<std::size_t>(p - begin));
    if (at != std::string_view::npos) return at + 4;
    scanned = bytes.size() < 3 ? 0 : bytes.size() - 3;
    return 0;
}

/// A body in chunks (RFC 9112 §7.1).
class ChunkedDecoder {
public:
    using Pieces = boost::container::small_vector<std::string_view, 8>;

    /// Decodes into pieces() (views into `bytes`); returns how many bytes were used. What is left belongs to
    /// a line that is not there whole yet, or lies behind the end.
    std::size_t decode(std::string_view bytes);
    [[nodiscard]] const Pieces& pieces() const noexcept { return pieces_; }
    [[nodiscard]] bool is_done() const noexcept { return state_ == State::done; }
    [[nodiscard]] bool failed() const noexcept { return state_ == State::failed; }

private:
    enum class State : std::uint8_t { size_line, data, data_end, trailers, done, failed };
    void read_size(std::string_view line) noexcept;
    void read_trailer(std::string_view line) noexcept;

    Pieces pieces_;
    std::uint64_t left_ = 0;  ///< of this chunk's data
    std::size_t trailers_ = 0;
    State state_ = State::size_line;
};

/// What field lines say of the message they belong to.
struct FieldsMeaning {
    bool close = false;
    bool keep_alive = false;
    bool expects_continue = false;
    bool chunked = false;
    bool has_length = false;
    std::uint64_t length = 0;
    std::size_t options = 0;  ///< of all Connection fields
};

template <bool is_request>
class Parser {
public:
    using Head = std::conditional_t<is_request, RequestHead, ResponseHead>;

    /// `head_request`: the answer to a HEAD has no body whatever its fields say.
    explicit Parser(Head& head, bool head_request = false) noexcept
        : head_(head), head_request_(head_request) {}

    /// Parses the head at the start of `bytes`; `head_size` is set when it is done. What cannot become one is
    /// an error before all is there.
    ParseState parse_head(std::string_view bytes, std::size_t& head_size);
    [[nodiscard]] HeadFault fault() const noexcept { return fault_; }

private:
    ParseState failed(HeadFault fault) noexcept {
        fault_ = fault;
        return ParseState::error;
    }
    [[nodiscard]] bool read_start(std::string_view line) noexcept;
    [[nodiscard]] bool apply_meaning(const FieldsMeaning& meaning) noexcept;

    Head& head_;
    bool head_request_;
    HeadFault fault_ = HeadFault::none;
};

template <>
bool Parser<true>::read_start(std::string_view line) noexcept;
template <>
bool Parser<false>::read_start(std::string_view line) noexcept;
extern template class Parser<true>;
extern template class Parser<false>;

}  // namespace spillway::http
