// How an Http2Exchange takes its request's head.
#include <algorithm>
#include <charconv>

#include "http/authority.hpp"
#include "http/http2_connection.hpp"
#include "http/http2_exchange.hpp"
#include "http/parser.hpp"

namespace spillway::http {

namespace {
/// What is decoded of fields that are too large, in units of the limit, to answer that they are.
constexpr std::size_t most_too_large = 4;
}  // namespace

Http2Exchange::Http2Exchange(Http2Connection& connection, std::int32_t id)
    : Responder(connection.loop()),
      connection_(connection),
      id_(id),
      timeout_([this] { expired(); }),
      data_(BufferPool::of(connection.loop())) {
    peer_ = connection.peer();
    certificate_ = connection.certificate();
    received_at_ = mono_now();
    connection.wheel().arm(timeout_, connection.limits().head_timeout);
}

void Http2Exchange::add_field(std::string_view name, std::string_view value) {
    const bool fits = has_room_for(name.size() + value.size());
    if (!fits || has_head_) return;      // trailer fields are not asked for
    if (lines_.size() == most_fields) {  // as in HTTP/1.1
        head_size_ += connection_.limits().max_head_bytes;
        return;
    }
    if (name == ":method") {
        method_ = value;
    } else if (name == ":path") {
        target_ = value;
    } else if (name == ":authority") {
        authority_ = value;
    } else if (name.starts_with(':')) {
        // The scheme is not asked for.
    } else if (name == "cookie") {  // RFC 9113 §8.2.3: crumbs are joined
        if (!cookie_.empty()) cookie_.append("; ");
        cookie_.append(value);
    } else if (name == "host") {
        host_ = value;
    } else {
        add_line(name, value);
    }
}

/// Counts a field, of the head or the trailer.
bool Http2Exchange::has_room_for(std::size_t field_size) {
    const std::size_t most = connection_.limits().max_head_bytes;
    head_size_ += field_size + 4;
    if (head_size_ > most_too_large * most) connection_.give_up(NGHTTP2_ENHANCE_YOUR_CALM);
    return head_size_ <= most;
}

void Http2Exchange::add_line(std::string_view name, std::string_view value) {
    lines_.push_back({text_.size(), name.size(), value.size()});
    append_field(text_, name, value);
}

/// nghttp2 passes over what is forbidden. It is to be refused (RFC 9113 §8.2.1), with a word why (§8.1.1).
void Http2Exchange::add_invalid_field(std::size_t size) {
    (void)has_room_for(size);
    if (has_head_)
        fault(BodyFault::malformed);
    else
        malformed_ = true;
}

void Http2Exchange::refuse_malformed() {
    refuse(400, "The request has an invalid field.", "bad_request");
}

/// Host comes from :authority if that is there, and does not differ from it (RFC 9113 §8.3.1).
bool Http2Exchange::check_head() {
    if (!authority_.empty()) {
        if (!host_.empty() && !iequals(host_, authority_)) return false;
        host_ = authority_;
    }
    if (host_.empty() || !valid_host(host_)) return false;
    add_line("host", host_);
    if (!cookie_.empty()) add_line("cookie", cookie_);
    head_.version = 20;
    head_.method = method_;
    head_.target = target_;
    for (const Line& line : lines_) {
        const std::string_view name = std::string_view(text_).substr(line.at, line.name);
        const std::string_view value = std::string_view(text_).substr(line.at + line.name + 2, line.value);
        if (name == "expect") {
            head_.expects_continue = iequals(value, "100-continue");
        } else if (name == "content-length") {
            std::from_chars(value.data(), value.data() + value.size(), head_.content_length);
        }
        head_.fields.add(name, value, true);
    }
    const bool ascii =
        std::all_of(target_.begin(), target_.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!ascii) return false;
    return target_.starts_with('/') || (target_ == "*" && method_ == "OPTIONS");
}

void Http2Exchange::end_head(bool end) {
    has_head_ = true;
    timeout_.disarm();
    if (head_size_ > connection_.limits().max_head_bytes) {
        refuse(431, "The request's head is too large.", "request_head_too_large");
    } else if (malformed_) {
        refuse_malformed();
    } else if (!check_head()) {
        refuse(400, "The request has no valid Host or target.", "bad_request");
    } else {
        if (end) end_body();
        connection_.ready(*this);
    }
}

}  // namespace spillway::http
