#pragma once
/// HTTP/1.1 parsing without allocation: Beast's basic_parser (RFC 9112 grammar, its strictness kept)
/// with our own containers of views. Internal to the http room.
///
/// A head is parsed in one go once all of it is in the buffer, so every view points into that buffer.
#include <boost/beast/http/basic_parser.hpp>
#include <boost/container/small_vector.hpp>

#include "base/strings.hpp"
#include "http/message.hpp"

namespace spillway::http {

namespace beast_http = boost::beast::http;

enum class ParseState : std::uint8_t { need_more, head_done, error };

template <bool is_request>
class Parser final : public beast_http::basic_parser<is_request> {
public:
    using Head = std::conditional_t<is_request, RequestHead, ResponseHead>;
    using Pieces = boost::container::small_vector<std::string_view, 8>;

    /// `head_request`: the answer to a HEAD has no body whatever its fields say.
    Parser(Head& head, std::size_t max_head_bytes, bool head_request = false) : head_(head) {
        this->body_limit(boost::none);
        this->header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(max_head_bytes, 0x7fffffffU)));
        if constexpr (!is_request) this->skip(head_request);
    }

    /// Parses the head at the start of `bytes`; `head_size` is set when it is done.
    ParseState parse_head(std::string_view bytes, std::size_t& head_size, boost::system::error_code& ec) {
        head_size = this->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
        if (ec == beast_http::error::need_more) {
            ec = {};
            return ParseState::need_more;
        }
        if (ec) return ParseState::error;
        if (folded_) {
            ec = beast_http::error::bad_value;  // obs-fold: RFC 9112 §5.2 lets us refuse it
            return ParseState::error;
        }
        head_.version = this->version_;
        head_.keep_alive = this->keep_alive();
        fill_framing();
        return ParseState::head_done;
    }

    /// Decodes body bytes into `pieces()` (views into `bytes`); returns how many were used.
    std::size_t parse_body(std::string_view bytes, boost::system::error_code& ec) {
        this->eager(true);
        pieces_.clear();
        std::size_t used = 0;
        while (!this->is_done() && used < bytes.size()) {
            const std::size_t n =
                this->put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), ec);
            used += n;
            if (ec == beast_http::error::need_more) {
                ec = {};
                break;
            }
            if (ec) break;
            if (n == 0) break;
        }
        return used;
    }
    [[nodiscard]] const Pieces& pieces() const noexcept { return pieces_; }
    void end_of_stream(boost::system::error_code& ec) { this->put_eof(ec); }

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
        // An obs-folded value is rebuilt in the parser's own memory, behind no field name of ours.
        if (value.data() != nullptr && !value.empty() &&
            (value.data() < name.data() || value.data() > name.data() + 0x100000))
            folded_ = true;
        if constexpr (is_request)
            if (id == beast_http::field::expect && iequals({value.data(), value.size()}, "100-continue"))
                head_.expects_continue = true;
        head_.fields.add({name.data(), name.size()}, {value.data(), value.size()});
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
    Pieces pieces_;
    unsigned version_ = 11;
    bool folded_ = false;
};

}  // namespace spillway::http
