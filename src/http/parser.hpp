#pragma once
/// HTTP/1.1 parsing without allocation: Beast's basic_parser (RFC 9112 grammar, its strictness kept)
/// with our own containers of views. Internal to the http room.
///
/// A head is parsed in one go once all of it is there, so every view points into the bytes handed in.
/// Stricter than Beast: obs-fold (RFC 9112 §5.2), transfer codings but chunked (§6.1), and
/// Transfer-Encoding in HTTP/1.0 (§6.1) are refused; trailer fields are read and dropped (§7.1.2).
#include <bit>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/container/small_vector.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/strings.hpp"
#include "http/message.hpp"

namespace spillway::http {

namespace beast_http = boost::beast::http;

enum class ParseState : std::uint8_t { need_more, head_done, error };

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

template <bool is_request>
class Parser final : public beast_http::basic_parser<is_request> {
public:
    using Head = std::conditional_t<is_request, RequestHead, ResponseHead>;
    using Pieces = boost::container::small_vector<std::string_view, 8>;

    /// `head_request`: the answer to a HEAD has no body whatever its fields say.
    explicit Parser(Head& head, bool head_request = false) : head_(head) {
        this->body_limit(boost::none);
        this->header_limit(0x7fffffffU);  // sizes are the caller's to watch
        if constexpr (!is_request) this->skip(head_request);
    }

    /// Parses the head at the start of `bytes`; `head_size` is set when it is done. One call only.
    ParseState parse_head(std::string_view bytes, std::size_t& head_size, boost::system::error_code& ec) {
        input_ = bytes;
        head_size = this->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
        if (ec == beast_http::error::need_more) {
            ec = {};
            return ParseState::need_more;
        }
        if (!ec && folded_) ec = beast_http::error::bad_value;
        if (!ec && (unknown_coding_ || (coded_ && version_ < 11)))
            ec = beast_http::error::bad_transfer_encoding;
        if (ec) return ParseState::error;
        head_read_ = true;
        head_.version = version_;
        head_.keep_alive = this->keep_alive();
        fill_framing();
        return ParseState::head_done;
    }
    /// Was a transfer coding other than chunked met?
    [[nodiscard]] bool unknown_coding() const noexcept { return unknown_coding_; }

    /// Decodes body bytes into `pieces()` (views into `bytes`); returns how many were used.
    std::size_t parse_body(std::string_view bytes, boost::system::error_code& ec) {
        this->eager(true);
        pieces_.clear();
        // No chunked body is shorter than "0\r\n\r\n", and Beast 1.81 asserts so when it looks a second time.
        if (!body_begun_ && this->chunked() && bytes.size() < 5) return 0;
        body_begun_ = true;
        std::size_t used = 0;
        while (!this->is_done() && used < bytes.size()) {
            const std::size_t n =
                this->put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), ec);
            used += n;
            if (ec == beast_http::error::need_more) {
                ec = {};
                break;
            }
            if (ec || n == 0) break;
        }
        return used;
    }
    [[nodiscard]] const Pieces& pieces() const noexcept { return pieces_; }

private:
    void fill_framing() {
        if constexpr (!is_request) {
            if (this->is_done()) {
                head_.framing = Framing::none;
                return;
            }
        }
        if (this->chunked()) {
            head_.framing = Framing::chunked;
        } else if (const auto length = this->content_length()) {
            head_.content_length = *length;
            head_.framing = *length == 0 ? Framing::none : Framing::length;
        } else {
            head_.framing = !is_request && this->need_eof() ? Framing::until_close : Framing::none;
        }
    }

    /// Beast joins a folded value in its own memory, or takes it from the next line.
    [[nodiscard]] bool is_folded(boost::beast::string_view name, boost::beast::string_view value) const {
        const char* const name_end = name.data() + name.size();
        if (value.data() < name_end || value.data() > input_.data() + input_.size()) return true;
        return std::string_view(name_end, static_cast<std::size_t>(value.data() - name_end)).find('\r') !=
               std::string_view::npos;
    }

    void on_request_impl(beast_http::verb, boost::beast::string_view method, boost::beast::string_view target,
                         int version, boost::system::error_code&) override {
        if constexpr (is_request) {
            head_.method = {method.data(), method.size()};
            head_.target = {target.data(), target.size()};
        }
        version_ = static_cast<unsigned>(version);
    }
    void on_response_impl(int code, boost::beast::string_view reason, int version,
                          boost::system::error_code&) override {
        if constexpr (!is_request) {
            head_.status = static_cast<unsigned>(code);
            head_.reason = {reason.data(), reason.size()};
        }
        version_ = static_cast<unsigned>(version);
    }
    void on_field_impl(beast_http::field id, boost::beast::string_view name, boost::beast::string_view value,
                       boost::system::error_code&) override {
        if (head_read_) return;  // a trailer field
        if (is_folded(name, value)) {
            folded_ = true;
            return;
        }
        const std::string_view text(value.data(), value.size());
        if (id == beast_http::field::transfer_encoding) {
            coded_ = true;
            if (!iequals(text, "chunked")) unknown_coding_ = true;
        }
        if constexpr (is_request)
            if (id == beast_http::field::expect && iequals(text, "100-continue"))
                head_.expects_continue = true;
        head_.fields.add({name.data(), name.size()}, text);
    }
    void on_header_impl(boost::system::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, boost::system::error_code&) override {}
    std::size_t on_body_impl(boost::beast::string_view body, boost::system::error_code&) override {
        pieces_.emplace_back(body.data(), body.size());
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, boost::system::error_code&) override {
    }
    std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body,
                                   boost::system::error_code&) override {
        if (!body.empty()) pieces_.emplace_back(body.data(), body.size());
        return body.size();
    }
    void on_finish_impl(boost::system::error_code&) override {}

    Head& head_;
    std::string_view input_;
    Pieces pieces_;
    unsigned version_ = 11;
    bool head_read_ = false;
    bool folded_ = false;
    bool body_begun_ = false;
    bool coded_ = false;
    bool unknown_coding_ = false;
};

}  // namespace spillway::http
