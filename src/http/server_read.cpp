// How a ServerConnection reads requests, and refuses those that break HTTP/1.1 or a limit.
#include "base/task.hpp"
#include "http/authority.hpp"
#include "http/date_line.hpp"
#include "http/server_connection.hpp"
#include "http/simple_head.hpp"

namespace spillway::http {

Task<ServerConnection::Read> ServerConnection::read_request() {
    started_ = finished_ = head_due_ = false;
    sent_ = 0;
    read_until_ = 0;
    body_due_ = false;
    if (in_.empty()) {
        begin_wait(draining_ ? last_chance : limits_.keep_alive_timeout, Expiry::close);
        while (wants_more(0))  // as more(), which would be one more coroutine for each request
            while (!readable_.is_set()) co_await readable_.wait();
        if (in_.empty()) co_return Read::closed;
    }
    received_at_ = mono_now();
    const Mono head_deadline = received_at_ + limits_.head_timeout;
    close_after_ = false;
    head_.method = {};
    std::size_t scanned = 0;
    for (bool first = true;; first = false) {
        // Empty lines before a request are skipped (RFC 9112 §2.2).
        while (in_.view().starts_with("\r\n")) {
            in_.consume(2);
            scanned = 0;
        }
        const std::size_t size = find_head_end(in_.view(), scanned);
        if (std::max(size, size > 0 ? 0 : in_.size()) > limits_.max_head_bytes)
            co_return co_await refuse(431, "The request's head is too large.", "request_head_too_large");
        if (size > 0) {
            head_.fields.clear();
            if (read_simple_head(in_.view().substr(0, size), head_)) {
                if (!check_head())
                    co_return co_await refuse(400, "The request has no valid Host or target.", "bad_request");
                begin_request(size);
                co_return Read::request;
            }
        }
        // What is not HTTP shows at once; a head that merely comes in pieces is parsed when it is there.
        if (size > 0 || (first && !in_.empty())) {
            head_ = {};
            Parser<true> parser(head_);
            std::size_t head_size = 0;
            const ParseState state = parser.parse_head(in_.view(), head_size);
            if (state == ParseState::error && parser.fault() == HeadFault::too_many_fields)
                co_return co_await refuse(431, "The request has too many header fields.",
                                          "request_head_too_large");
            if (state == ParseState::error && parser.fault() == HeadFault::unknown_coding)
                co_return co_await refuse(501, "The request's transfer coding is not supported.",
                                          "unsupported_transfer_coding");
            if (state == ParseState::error || (state == ParseState::need_more && size > 0))
                co_return co_await refuse(400, "The request is not valid HTTP/1.1.", "bad_request");
            if (state == ParseState::head_done) {
                if (!check_head())
                    co_return co_await refuse(400, "The request has no valid Host or target.", "bad_request");
                begin_request(head_size);
                co_return Read::request;
            }
        }
        const Duration left_time = head_deadline - mono_now();
        if (limits_.head_timeout > Duration::zero() && left_time <= Duration::zero())
            co_return co_await late();
        const Duration wait = limits_.head_timeout > Duration::zero() ? left_time : Duration::zero();
        const bool came = co_await more(wait, Expiry::stop_reading);
        if (!came) co_return co_await late();
    }
}

/// Host exactly once on HTTP/1.1 (RFC 9112 §3.2); absolute-form becomes origin-form, and its authority counts
/// instead of Host (§3.2.2).
bool ServerConnection::check_head() {
    std::size_t hosts = 0;
    for (const Field& f : head_.fields) {
        if (!iequals(f.name, "host")) continue;
        ++hosts;
        if (!valid_host(f.value)) return false;
    }
    if (hosts > 1 || (hosts == 0 && head_.version >= 11)) return false;
    std::string_view& target = head_.target;
    if (target.starts_with('/')) return true;
    if (target == "*") return head_.method == "OPTIONS";
    if (!istarts_with(target, "http://") && !istarts_with(target, "https://")) return false;
    const auto authority = target.find("//") + 2;
    const auto path = target.find_first_of("/?", authority);
    const std::string_view host = target.substr(authority, path - authority);
    if (!valid_host(host)) return false;
    head_.fields.replace("host", host);
    if (path == std::string_view::npos) {
        target = "/";
        return true;
    }
    target.remove_prefix(path);
    return target.front() == '/';
}

/// The head's views stay valid: the memory they view changes its owner, but the bytes do not move.
void ServerConnection::begin_request(std::size_t head_size) {
    const bool sized = head_.framing == Framing::length;
    if (sized && head_.content_length <= limits_.max_body_bytes &&
        in_.size() >= head_size + static_cast<std::size_t>(head_.content_length)) {
        const auto size = static_cast<std::size_t>(head_.content_length);
        set_request_aside(head_size + size);
        body_ = request_.view().substr(head_size, size);
        return;
    }
    set_request_aside(head_size);
    body_ = request_.view().substr(head_size, 0);
    body_due_ = head_.framing != Framing::none;
}

/// Moves the request's `bytes` aside, so that in_ can take what comes next.
void ServerConnection::set_request_aside(std::size_t bytes) {
    std::swap(request_, in_);
    in_.clear();
    in_.append(request_.view().substr(bytes));
    close_after_ = !head_.keep_alive || draining_ || shared_->last_answers;
}

/// The client left or was too slow in the midst of a request's head.
Task<ServerConnection::Read> ServerConnection::late() {
    if (eof_) co_return Read::closed;
    timed_out_ = false;
    co_return co_await refuse(408, "The request's head did not come in time.", "request_timeout");
}

Task<ServerConnection::Read> ServerConnection::refuse(unsigned status, std::string_view message,
                                                      std::string_view code) {
    const std::string body = refusal_body(status, message, code);
    close_after_ = true;
    head_.method = {};  // it may not be there
    out_head_.clear();
    begin_head(status, body.size());
    out_head_.append(loop_.tool<DateLine>().text(wall_now()));
    append_field(out_head_, "Content-Type", "application/json");
    if (status == 503 || status == 429) append_field(out_head_, "Retry-After", "1");
    head_due_ = true;
    const std::string_view piece = body;
    (void)co_await write_pieces(std::span(&piece, 1), true);
    co_return Read::refused;
}

}  // namespace spillway::http
