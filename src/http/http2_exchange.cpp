// How an Http2Exchange sends its answer.
#include "http/http2_exchange.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/name_set.hpp"
#include "base/task.hpp"
#include "http/date_line.hpp"
#include "http/http2_connection.hpp"

namespace spillway::http {

namespace {
/// What speaks of one connection of HTTP/1.1 (RFC 9113 §8.2.2).
constexpr NameSet of_connections("connection", "transfer-encoding", "keep-alive", "proxy-connection",
                                 "upgrade");
std::uint8_t* bytes(char* text) noexcept {
    return reinterpret_cast<std::uint8_t*>(text);
}
nghttp2_nv pair_of(std::span<char> name, std::span<char> value) noexcept {
    return {bytes(name.data()), bytes(value.data()), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}
}  // namespace

Exchange Http2Exchange::begin() {
    busy_ = true;
    body_due_ = !has_body_ || data_.size() > free_body;
    return exchange_of(*this);
}

void Http2Exchange::end() {
    busy_ = false;
    on_gone_ = nullptr;
    release_body();
    // Not before: some clients give up an answer that they wait for when GOAWAY comes (httpx).
    if (ends_connection_) connection_.drain();
    if (finished_ || refused_ || gone_ || cut_) return;
    if (started_)
        reset(NGHTTP2_INTERNAL_ERROR);
    else
        refuse(500, "The request was not answered.", "internal_error");
}

void Http2Exchange::refuse(unsigned status, std::string_view message, std::string_view code) {
    if (started_ || closed_) return;
    refused_ = true;
    refusal_ = refusal_body(status, message, code);
    refusal_piece_ = refusal_;
    out_head_.clear();
    begin_head(status, refusal_.size());
    out_head_.append(loop_.tool<DateLine>().text(wall_now()));
    append_field(out_head_, "content-type", "application/json");
    if (status == 503 || status == 429) append_field(out_head_, "retry-after", "1");
    head_due_ = true;
    offer(std::span(&refusal_piece_, 1), true);
}

void Http2Exchange::close() {
    closed_ = true;
    timeout_.disarm();
    pieces_ = {};
    if (!ended_ && !cut_) gone_ = true;
    written_.set_later();
    body_changed_.set_later();
}

void Http2Exchange::notify_gone() {
    if (!gone_ || !busy_) return;
    if (const auto callback = std::exchange(on_gone_, nullptr)) callback();
}

void Http2Exchange::begin_head(unsigned status, std::optional<std::uint64_t> content_length) {
    status_ = status;
    // As in HTTP/1.1: RFC 9110 §6.4.1, §8.6.
    const bool lengthless = status == 204 || status < 200;
    bodiless_ = lengthless || status == 304 || method_ == "HEAD";
    left_ = content_length;
    if (content_length && !lengthless && (status != 304 || *content_length > 0)) {
        std::array<char, 24> digits;  // NOLINT(*-member-init): written next
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *content_length).ptr;
        append_field(out_head_, "content-length",
                     {digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
}

/// nghttp2 copies the fields. Their names become lower case in place.
bool Http2Exchange::submit_head(bool bodiless) {
    head_due_ = false;
    std::array<char, 7> status_name{':', 's', 't', 'a', 't', 'u', 's'};
    std::array<char, 3> status{};
    std::to_chars(status.data(), status.data() + status.size(), status_);
    boost::container::small_vector<nghttp2_nv, 24> fields;
    fields.push_back(pair_of(status_name, status));
    const std::span<char> text(out_head_);
    for (std::size_t at = 0; at < out_head_.size();) {
        const std::size_t end = std::min(out_head_.find("\r\n", at), out_head_.size());
        const std::size_t colon = out_head_.find(':', at);
        if (colon < end && colon > at) {
            const std::span<char> name = text.subspan(at, colon - at);
            for (char& c : name) c = ascii_lower(c);
            std::size_t from = colon + 1;
            std::size_t to = end;
            while (from < to && (out_head_[from] == ' ' || out_head_[from] == '\t')) ++from;
            while (to > from && (out_head_[to - 1] == ' ' || out_head_[to - 1] == '\t')) --to;
            if (!of_connections.has({name.data(), name.size()}))
                fields.push_back(pair_of(name, text.subspan(from, to - from)));
        }
        at = end + 2;
    }
    nghttp2_data_provider body{};
    body.source.ptr = this;
    body.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t room,
                            std::uint32_t* flags, nghttp2_data_source* source, void*) {
        return static_cast<Http2Exchange*>(source->ptr)->read_data(out, room, *flags);
    };
    sent_ += out_head_.size();
    if (bodiless) ended_ = true;
    return nghttp2_submit_response(connection_.session(), id_, fields.data(), fields.size(),
                                   bodiless ? nullptr : &body) == 0;
}

/// Gives the session what it may send next; `pieces` lives until it is taken.
void Http2Exchange::offer(std::span<const std::string_view> pieces, bool last) {
    started_ = true;
    last_ = last;
    in_piece_ = 0;
    if (!bodiless_) pieces_ = pieces;
    while (!pieces_.empty() && pieces_.front().empty()) pieces_ = pieces_.subspan(1);
    if (pending()) connection_.wheel().arm(timeout_, connection_.limits().write_timeout);
    if (head_due_) {
        const bool submitted = submit_head(bodiless_ || (last && pieces_.empty()));
        if (!submitted) reset(NGHTTP2_INTERNAL_ERROR);
    } else if (pending()) {
        (void)nghttp2_session_resume_data(connection_.session(), id_);
    }
    if (!pending()) timeout_.disarm();
    connection_.pump();
}

/// Hands pieces to the session, as many bytes as the client's windows let through.
ssize_t Http2Exchange::read_data(std::uint8_t* out, std::size_t room, std::uint32_t& flags) {
    std::size_t n = 0;
    while (n < room && !pieces_.empty()) {
        const std::string_view rest = pieces_.front().substr(in_piece_);
        const std::size_t part = std::min(rest.size(), room - n);
        std::memcpy(out + n, rest.data(), part);
        n += part;
        in_piece_ += part;
        if (part < rest.size()) break;
        pieces_ = pieces_.subspan(1);
        in_piece_ = 0;
        while (!pieces_.empty() && pieces_.front().empty()) pieces_ = pieces_.subspan(1);
    }
    sent_ += n;
    if (pieces_.empty() && last_) {
        ended_ = true;
        flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (n == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    if (pending()) {
        connection_.wheel().arm(timeout_, connection_.limits().write_timeout);
    } else {
        timeout_.disarm();
        written_.set_later();
    }
    return static_cast<ssize_t>(n);
}

Task<bool> Http2Exchange::write_pieces(std::span<const std::string_view> pieces, bool last) {
    if (gone_ || cut_ || finished_ || refused_) co_return false;
    if (!bodiless_ && left_) {
        std::size_t size = 0;
        for (const std::string_view piece : pieces) size += piece.size();
        if (size > *left_ || (last && size < *left_)) {  // the handler's mistake: do not corrupt the stream
            started_ = true;
            reset(NGHTTP2_INTERNAL_ERROR);
            co_return false;
        }
        *left_ -= size;
    }
    written_.reset();
    offer(pieces, last);
    while (pending() && !gone_ && !cut_) {
        written_.reset();
        while (!written_.is_set()) co_await written_.wait();
    }
    const bool ok = !gone_ && !cut_;
    if (last) finished_ = ok;
    co_return ok;
}

/// Frames are made when the connection has room for them.
std::optional<bool> Http2Exchange::write_now(std::span<const std::string_view> pieces) {
    for_flush_ = pieces;
    return std::nullopt;
}

Task<bool> Http2Exchange::flush() {
    return write_pieces(for_flush_, false);
}

void Http2Exchange::abort() {
    started_ = true;
    reset(NGHTTP2_INTERNAL_ERROR);
}

/// The client sees that what it has is not all.
void Http2Exchange::reset(std::uint32_t code) {
    if (cut_) return;
    cut_ = true;
    pieces_ = {};
    timeout_.disarm();
    if (!closed_) (void)nghttp2_submit_rst_stream(connection_.session(), NGHTTP2_FLAG_NONE, id_, code);
    written_.set_later();
    body_changed_.set_later();
    connection_.pump_later();
}

void Http2Exchange::expired() {
    if (!has_head_) {  // a head that stays away holds up all streams
        connection_.give_up(NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (reading_) {
        fault(BodyFault::too_slow);
    } else {
        gone_ = true;
        notify_gone();
        reset(NGHTTP2_CANCEL);
    }
    connection_.pump_later();
}

}  // namespace spillway::http
