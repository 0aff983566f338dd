#pragma once
/// Parses HTTP/1.1 heads and chunked bodies (RFC 9112) without allocation, into views of the input. Internal
/// to the http room. Thread rule: plain values. Errors: ParseState::error with a HeadFault, or failed().
///
/// A head is parsed at once when it is complete. Strict, so that no two readers of a message can understand
/// it differently: bare CR or LF, obs-fold (§5.2), spaces around a field's name, transfer codings other than
/// chunked (§6.1), Transfer-Encoding in HTTP/1.0 or with Content-Length, and different lengths are refused;
/// trailer fields are read and dropped (§7.1.2). At most `most_fields` field lines.
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

/// The size of the head at the start of `bytes`, or 0 if it is not complete. `scanned` remembers how far
/// earlier calls looked, so that a head arriving byte by byte is not searched repeatedly.
[[nodiscard]] inline std::size_t find_head_end(std::string_view bytes, std::size_t& scanned) noexcept {
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* p = begin + scanned;
#if defined(__SSE2__)
    // Sixteen places at a time for a CR followed by another two bytes on; lines are too short for memchr().
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

/// Decodes a chunked body (RFC 9112 §7.1).
class ChunkedDecoder {
public:
    using Pieces = boost::container::small_vector<std::string_view, 8>;

    /// Decodes into pieces(), which view `bytes`; returns how many bytes were used. The rest belongs to an
    /// incomplete line, or follows the body's end.
    std::size_t decode(std::string_view bytes);
    [[nodiscard]] const Pieces& pieces() const noexcept { return pieces_; }
    [[nodiscard]] bool is_done() const noexcept { return state_ == State::done; }
    [[nodiscard]] bool failed() const noexcept { return state_ == State::failed; }

private:
    enum class State : std::uint8_t { size_line, data, data_end, trailers, done, failed };
    void read_size(std::string_view line) noexcept;
    void read_trailer(std::string_view line) noexcept;

    Pieces pieces_;
    std::uint64_t left_ = 0;  ///< bytes of this chunk's data
    std::size_t trailers_ = 0;
    State state_ = State::size_line;
};

/// What the fields say about their message.
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

    /// `head_request`: the answer to HEAD has no body, whatever its fields say.
    explicit Parser(Head& head, bool head_request = false) noexcept
        : head_(head), head_request_(head_request) {}

    /// Parses the head at the start of `bytes` and sets `head_size`. Invalid input is an error even before
    /// the head is complete.
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
