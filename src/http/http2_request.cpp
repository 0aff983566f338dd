// How an Http2Exchange takes its request.
#include <charconv>

#include "http/http2_connection.hpp"
#include "http/http2_exchange.hpp"

namespace spillway::http {

namespace {
/// As much as a length that a client merely claims may reserve.
constexpr std::size_t first_reserve = 64 * 1024;
}  // namespace

Http2Exchange::Http2Exchange(Http2Connection& connection, std::int32_t id)
    : Responder(connection.context()),
      connection_(connection),
      id_(id),
      timeout_([this] { expired(); }),
      data_(BufferPool::of(connection.context())) {
    peer_ = connection.peer();
    received_at_ = mono_now();
    connection.wheel().arm(timeout_, connection.limits().head_timeout);
}

void Http2Exchange::add_field(std::string_view name, std::string_view value) {
    if (has_head_) return;  // a trailer field
    head_size_ += name.size() + value.size() + 4;
    if (head_size_ > connection_.limits().max_head_bytes) return;
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
    } else {
        lines_.push_back({text_.size(), name.size(), value.size()});
        append_field(text_, name, value);
    }
}

/// Host comes from :authority if that is there (RFC 9113 §8.3.1).
bool Http2Exchange::check_head() {
    const auto add = [this](std::string_view name, std::string_view value) {
        lines_.push_back({text_.size(), name.size(), value.size()});
        append_field(text_, name, value);
    };
    if (!authority_.empty()) add("host", authority_);
    if (!cookie_.empty()) add("cookie", cookie_);
    head_.version = 20;
    head_.method = method_;
    head_.target = target_;
    std::size_t hosts = 0;
    const std::size_t own_host = authority_.empty() ? std::string::npos : lines_.size() - (cookie_.empty() ? 1 : 2);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const Line& line = lines_[i];
        const std::string_view name = std::string_view(text_).substr(line.at, line.name);
        const std::string_view value = std::string_view(text_).substr(line.at + line.name + 2, line.value);
        if (name == "host") {
            if (own_host != std::string::npos && i != own_host) continue;
            ++hosts;
            if (!valid_host(value)) return false;
        } else if (name == "expect") {
            head_.expects_continue = iequals(value, "100-continue");
        } else if (name == "content-length") {
            std::from_chars(value.data(), value.data() + value.size(), head_.content_length);
        }
        head_.fields.add(name, value, true);
    }
    if (hosts != 1) return false;
    return target_.starts_with('/') || (target_ == "*" && method_ == "OPTIONS");
}

void Http2Exchange::end_head(bool end) {
    has_head_ = true;
    timeout_.disarm();
    if (head_size_ > connection_.limits().max_head_bytes) {
        refuse(431, "The request's head is too large.", "request_head_too_large");
    } else if (!check_head()) {
        refuse(400, "The request has no valid Host or target.", "bad_request");
    } else if (head_.content_length > connection_.limits().max_body_bytes) {
        refuse(413, "The request's body is too large.", "request_too_large");
    } else if (end) {
        end_body();
    } else {
        (void)data_.prepare(std::min(static_cast<std::size_t>(head_.content_length), first_reserve));
        connection_.wheel().arm(timeout_, connection_.limits().body_timeout);
        if (!head_.expects_continue) return;
        std::string name = ":status";
        std::string value = "100";
        const nghttp2_nv status{reinterpret_cast<std::uint8_t*>(name.data()),
                                reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
                                NGHTTP2_NV_FLAG_NONE};
        (void)nghttp2_submit_headers(connection_.session(), NGHTTP2_FLAG_NONE, id_, nullptr, &status, 1,
                                     nullptr);
    }
}

void Http2Exchange::add_body(std::string_view bytes) {
    if (refused_ || !has_head_) return;
    if (data_.size() + bytes.size() > connection_.limits().max_body_bytes) {
        data_.release();
        refuse(413, "The request's body is too large.", "request_too_large");
        return;
    }
    data_.append(bytes);
    connection_.wheel().arm(timeout_, connection_.limits().body_timeout);
}

void Http2Exchange::end_body() {
    if (refused_ || has_body_) return;
    timeout_.disarm();
    has_body_ = true;
    body_ = data_.view();
    head_.content_length = body_.size();
    head_.framing = body_.empty() ? Framing::none : Framing::length;
    connection_.ready(*this);
}

}  // namespace spillway::http
