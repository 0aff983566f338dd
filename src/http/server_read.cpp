// How a ServerConnection reads requests, and refuses those that break HTTP/1.1 or a limit.
#include "base/task.hpp"
#include "http/server_connection.hpp"
#include "http/simple_head.hpp"

namespace spillway::http {

namespace {
/// Chunk lines and trailers, which carry no content, may take so much.
constexpr std::size_t max_chunk_line = 16 * 1024;
constexpr std::size_t chunked_read = 16 * 1024;
}  // namespace

Task<ServerConnection::Read> ServerConnection::read_request() {
    started_ = finished_ = head_due_ = false;
    sent_ = 0;
    read_want_ = 0;
    if (in_.empty()) {
        begin_wait(limits_.keep_alive_timeout, Expiry::close);
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
                if (take_whole(size)) co_return Read::request;
                if (head_.framing == Framing::length) co_return co_await read_length_body(size);
                take_request(size);
                body_ = request_.view().substr(size, 0);
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
                if (head_.framing == Framing::length) co_return co_await read_length_body(head_size);
                if (head_.framing == Framing::chunked) co_return co_await read_chunked_body(head_size);
                take_request(head_size);
                body_ = request_.view().substr(head_size, 0);
                co_return Read::request;
            }
        }
        const Duration left_time = head_deadline - mono_now();
        if (limits_.head_timeout > Duration::zero() && left_time <= Duration::zero())
            co_return co_await late("head");
        const Duration wait = limits_.head_timeout > Duration::zero() ? left_time : Duration::zero();
        const bool came = co_await more(wait, Expiry::stop_reading);
        if (!came) co_return co_await late("head");
    }
}

/// Host exactly once on HTTP/1.1 (RFC 9112 §3.2); absolute-form becomes origin-form (§3.2.2).
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
    if (path == authority) return false;
    if (path == std::string_view::npos) {
        target = "/";
        return true;
    }
    target.remove_prefix(path);
    return target.front() == '/';
}

/// Moves the request's `bytes` aside, so that in_ can take what comes next.
void ServerConnection::take_request(std::size_t bytes) {
    std::swap(request_, in_);
    in_.clear();
    in_.append(request_.view().substr(bytes));
    close_after_ = !head_.keep_alive || draining_;
}

/// Takes the head's views anew from bytes that were parsed before.
void ServerConnection::parse_again(std::string_view bytes) {
    std::size_t scanned = 0;
    head_.fields.clear();
    if (read_simple_head(bytes.substr(0, find_head_end(bytes, scanned)), head_)) {
        (void)check_head();
        return;
    }
    head_ = {};
    Parser<true> parser(head_);
    std::size_t size = 0;
    (void)parser.parse_head(bytes, size);
    (void)check_head();
}

Task<bool> ServerConnection::send_continue() {
    if (!head_.expects_continue || head_.version < 11) co_return true;
    std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool ok = co_await send({&line, 1});
    sent_ = 0;
    co_return ok;
}

bool ServerConnection::take_whole(std::size_t head_size) {
    if (head_.framing != Framing::length || head_.content_length > limits_.max_body_bytes) return false;
    const std::size_t whole = head_size + static_cast<std::size_t>(head_.content_length);
    if (in_.size() < whole) return false;
    take_request(whole);
    body_ = request_.view().substr(head_size, whole - head_size);
    return true;
}

Task<ServerConnection::Read> ServerConnection::read_length_body(std::size_t head_size) {
    if (head_.content_length > limits_.max_body_bytes)
        co_return co_await refuse(413, "The request's body is too large.", "request_too_large");
    if (!take_whole(head_size)) {
        const bool welcome = co_await send_continue();
        if (!welcome) co_return Read::closed;
        const std::size_t whole = head_size + static_cast<std::size_t>(head_.content_length);
        while (in_.size() < whole) {
            read_want_ = whole - in_.size();  // one reserve for all of it
            const bool came = co_await more(limits_.body_timeout, Expiry::stop_reading);
            if (!came) co_return co_await late("body");
        }
        read_want_ = 0;
        parse_again(in_.view());  // the bytes may have moved
        (void)take_whole(head_size);
    }
    co_return Read::request;
}

Task<ServerConnection::Read> ServerConnection::read_chunked_body(std::size_t head_size) {
    if (in_.size() == head_size) {
        const bool welcome = co_await send_continue();
        if (!welcome) co_return Read::closed;
    }
    std::size_t used = 0;
    ChunkedDecoder chunks;
    for (;;) {
        used = chunks.decode(in_.view().substr(head_size));
        if (chunks.failed() || in_.size() - head_size - used > max_chunk_line)
            if (!chunks.is_done())
                co_return co_await refuse(400, "The request's chunked body is malformed.", "bad_request");
        for (const std::string_view piece : chunks.pieces()) decoded_.append(piece);
        if (decoded_.size() > limits_.max_body_bytes)
            co_return co_await refuse(413, "The request's body is too large.", "request_too_large");
        if (chunks.is_done()) break;
        read_want_ = chunked_read;
        const bool came = co_await more(limits_.body_timeout, Expiry::stop_reading);
        if (!came) co_return co_await late("body");
        // What was decoded goes; the head stays at the front until its views are taken.
        const std::size_t rest = in_.size() - head_size - used;
        std::memmove(in_.data() + head_size, in_.data() + head_size + used, rest);
        in_.truncate(head_size + rest);
    }
    read_want_ = 0;
    parse_again(in_.view());
    take_request(head_size + used);
    (void)decoded_.prepare(1);  // an empty body needs its padding, too
    body_ = decoded_.view();
    co_return Read::request;
}

/// The client left or was too slow in the midst of a request's head or body.
Task<ServerConnection::Read> ServerConnection::late(std::string_view what) {
    if (eof_) co_return Read::closed;
    timed_out_ = false;
    std::string message = "The request's ";
    message.append(what).append(" did not come in time.");
    co_return co_await refuse(408, message, "request_timeout");
}

Task<ServerConnection::Read> ServerConnection::refuse(unsigned status, std::string_view message,
                                                      std::string_view code) {
    const std::string body = refusal_body(status, message, code);
    close_after_ = true;
    head_.method = {};  // its bytes may have moved while the body was read
    out_head_.clear();
    begin_head(status, body.size());
    append_field(out_head_, "Content-Type", "application/json");
    head_due_ = true;
    const std::string_view piece = body;
    (void)co_await write_pieces(std::span(&piece, 1), true);
    co_return Read::refused;
}

}  // namespace spillway::http
