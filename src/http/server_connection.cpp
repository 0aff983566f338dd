#include "http/server_connection.hpp"

#include <boost/asio/error.hpp>

namespace spillway::http {

namespace {
constexpr std::size_t first_read = 4096;
constexpr std::size_t kept_buffer = 16 * 1024;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
}  // namespace

ServerConnection::ServerConnection(Stream stream, asio::io_context& context, const ServerLimits& limits,
                                   const Handler& handler, std::string peer)
    : stream_(std::move(stream)),
      context_(context),
      limits_(limits),
      handler_(handler),
      peer_(std::move(peer)),
      timeout_([this] {
          timed_out_ = true;
          stream_.close();
      }) {}

asio::awaitable<void> ServerConnection::run(std::shared_ptr<asio::ssl::context> tls) {
    const auto self = shared_from_this();
    if (tls) {
        TimerWheel::of(context_).arm(timeout_, limits_.head_timeout);
        const auto [ec] =
            co_await stream_.wrap(*tls).async_handshake(asio::ssl::stream_base::server, as_values);
        timeout_.disarm();
        if (ec) co_return;
    }
    while (!draining_ && co_await read_request() == Read::request) {
        Exchange exchange(*this);
        busy_ = true;
        start_read();  // the next request, or the client's departure
        co_await handler_(exchange);
        on_gone_ = nullptr;
        if (!finished_ && !started_ && !gone_)
            (void)co_await refuse(500, "The request was not answered.", "internal_error");
        busy_ = false;
        if (!finished_ || close_after_ || gone_) break;
        request_.clear();
        request_.shrink(kept_buffer);
        decoded_.clear();
        decoded_.shrink(0);
    }
    // An answer sent in full must reach the client even if unread input is still under way: TLS says goodbye,
    // TCP half-closes before the socket goes (RFC 9112 §9.6).
    if (finished_ && !gone_ && stream_.tls() != nullptr) {
        TimerWheel::of(context_).arm(timeout_, std::chrono::seconds(1));
        (void)co_await stream_.tls()->async_shutdown(as_values);
        timeout_.disarm();
    }
    stream_.close();
}

void ServerConnection::drain() {
    draining_ = true;
    close_after_ = true;
    if (!busy_ && in_.empty()) stream_.close();
}

void ServerConnection::start_read() {
    if (reading_ || eof_) return;
    reading_ = true;
    readable_.reset();
    const auto space = in_.prepare(first_read);
    stream_.async_read_some(asio::buffer(space.data(), space.size()),
                            [self = shared_from_this()](const boost::system::error_code& ec, std::size_t n) {
                                self->reading_ = false;
                                self->in_.commit(n);
                                if (ec) self->eof_ = true;
                                if (ec && self->busy_) self->left();
                                self->readable_.set();
                            });
}

void ServerConnection::left() {
    gone_ = true;
    if (on_gone_) {
        const auto callback = std::move(on_gone_);
        on_gone_ = nullptr;
        callback();
    }
}

/// Waits for more bytes in in_; false at the end of the connection or after `timeout`.
asio::awaitable<bool> ServerConnection::more(Duration timeout) {
    const std::size_t before = in_.size();
    TimerWheel::of(context_).arm(timeout_, timeout);
    start_read();
    co_await readable_.wait();
    timeout_.disarm();
    co_return in_.size() > before && !timed_out_;
}

asio::awaitable<ServerConnection::Read> ServerConnection::read_request() {
    if (reading_) {  // begun during the last exchange
        TimerWheel::of(context_).arm(timeout_, limits_.keep_alive_timeout);
        co_await readable_.wait();
        timeout_.disarm();
    }
    if (in_.empty() && (eof_ || !co_await more(limits_.keep_alive_timeout))) co_return Read::closed;
    received_at_ = mono_now();
    const Mono head_deadline = received_at_ + limits_.head_timeout;
    started_ = finished_ = head_due_ = close_after_ = false;
    sent_ = 0;
    for (;;) {
        // Empty lines before a request are skipped (RFC 9112 §2.2).
        while (in_.view().starts_with("\r\n")) in_.consume(2);
        head_ = {};
        Parser<true> parser(head_, limits_.max_head_bytes);
        boost::system::error_code ec;
        std::size_t head_size = 0;
        const ParseState state =
            in_.empty() ? ParseState::need_more : parser.parse_head(in_.view(), head_size, ec);
        if (state == ParseState::error) {
            if (ec == beast_http::error::header_limit)
                co_return co_await refuse(431, "The request's head is too large.", "request_head_too_large");
            co_return co_await refuse(400, "The request is not valid HTTP/1.1.", "bad_request");
        }
        if (state == ParseState::head_done) {
            if (!check_head())
                co_return co_await refuse(400, "The request has no valid Host.", "bad_request");
            switch (head_.framing) {
                case Framing::length:
                    co_return co_await read_length_body(head_size);
                case Framing::chunked:
                    co_return co_await read_chunked_body(parser, head_size);
                default:
                    body_ = {};
                    take_request(head_size);
                    co_return Read::request;
            }
        }
        if (in_.size() > limits_.max_head_bytes)
            co_return co_await refuse(431, "The request's head is too large.", "request_head_too_large");
        if (eof_) co_return Read::closed;
        const Duration left_time = head_deadline - mono_now();
        if (left_time <= Duration::zero() || !co_await more(left_time)) co_return Read::closed;
    }
}

/// Host exactly once on HTTP/1.1 (RFC 9112 §3.2); absolute-form becomes origin-form (§3.2.2).
bool ServerConnection::check_head() {
    std::size_t hosts = 0;
    for (const Field& f : head_.fields)
        if (iequals(f.name, "host")) ++hosts;
    if (hosts > 1 || (hosts == 0 && head_.version >= 11)) return false;
    if (!head_.target.starts_with('/') && head_.target != "*") {
        const auto scheme = head_.target.find("://");
        if (scheme == std::string_view::npos) return false;
        const auto path = head_.target.find('/', scheme + 3);
        head_.target = path == std::string_view::npos ? std::string_view("/") : head_.target.substr(path);
    }
    return true;
}

/// Moves the request's `bytes` aside, so that in_ can take what comes next.
void ServerConnection::take_request(std::size_t bytes) {
    std::swap(request_, in_);
    in_.clear();
    in_.append(request_.view().substr(bytes));
    close_after_ = close_after_ || !head_.keep_alive || draining_;
}

asio::awaitable<bool> ServerConnection::send_continue() {
    if (!head_.expects_continue || head_.version < 11) co_return true;
    Buffers buffers;
    buffers.push_back(asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")));
    co_return co_await send(buffers);
}

asio::awaitable<ServerConnection::Read> ServerConnection::read_length_body(std::size_t head_size) {
    if (head_.content_length > limits_.max_body_bytes)
        co_return co_await refuse(413, "The request's body is too large.", "request_too_large");
    const std::size_t whole = head_size + static_cast<std::size_t>(head_.content_length);
    if (in_.size() < whole) {
        if (!co_await send_continue()) co_return Read::closed;
        (void)in_.prepare(whole - in_.size());
        while (in_.size() < whole)
            if (!co_await more(limits_.body_timeout)) {
                if (timed_out_ || eof_) co_return Read::closed;
            }
        head_ = {};  // the bytes may have moved: take the views anew
        Parser<true> again(head_, limits_.max_head_bytes);
        boost::system::error_code ec;
        (void)again.parse_head(in_.view(), head_size, ec);
        (void)check_head();
    }
    body_ = in_.view().substr(head_size, whole - head_size);
    take_request(whole);
    co_return Read::request;
}

asio::awaitable<ServerConnection::Read> ServerConnection::read_chunked_body(Parser<true>& parser,
                                                                            std::size_t head_size) {
    if (in_.size() == head_size && !co_await send_continue()) co_return Read::closed;
    std::size_t used = 0;
    for (;;) {
        boost::system::error_code ec;
        used = parser.parse_body(in_.view().substr(head_size), ec);
        if (ec) co_return co_await refuse(400, "The request's chunked body is malformed.", "bad_request");
        for (const std::string_view piece : parser.pieces()) decoded_.append(piece);
        if (decoded_.size() > limits_.max_body_bytes)
            co_return co_await refuse(413, "The request's body is too large.", "request_too_large");
        if (parser.is_done()) break;
        // What was decoded goes; the head stays at the front until the views are taken.
        const std::size_t rest = in_.size() - head_size - used;
        std::memmove(in_.data() + head_size, in_.data() + head_size + used, rest);
        in_.truncate(head_size + rest);
        if (!co_await more(limits_.body_timeout)) co_return Read::closed;
    }
    head_ = {};
    Parser<true> again(head_, limits_.max_head_bytes);
    boost::system::error_code ec;
    std::size_t same = 0;
    (void)again.parse_head(in_.view(), same, ec);
    (void)check_head();
    (void)decoded_.prepare(1);  // an empty body needs its padding, too
    body_ = decoded_.view();
    take_request(head_size + used);
    co_return Read::request;
}

asio::awaitable<ServerConnection::Read> ServerConnection::refuse(unsigned status, std::string_view message,
                                                                 std::string_view code) {
    std::string body = "{\"error\":{\"message\":\"";
    body.append(message)
        .append("\",\"type\":\"")
        .append(status < 500 ? "invalid_request_error" : "server_error");
    body.append("\",\"code\":\"").append(code).append("\",\"param\":null}}");
    close_after_ = true;
    out_head_.clear();
    begin_head(status, body.size());
    append_field(out_head_, "Content-Type", "application/json");
    out_head_.append("\r\n");
    started_ = finished_ = true;
    Buffers buffers;
    buffers.push_back(asio::buffer(out_head_));
    buffers.push_back(asio::buffer(body));
    co_await send(buffers);
    // Let the answer arrive before unread input makes the kernel reset the connection (RFC 9112 §9.6).
    boost::system::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    for (int i = 0; i < 64 && !eof_; ++i) {
        in_.clear();
        if (!co_await more(std::chrono::milliseconds(500))) break;
    }
    co_return Read::refused;
}

asio::awaitable<bool> ServerConnection::send(const Buffers& buffers) {
    if (gone_) co_return false;
    TimerWheel::of(context_).arm(timeout_, limits_.write_timeout);
    const auto [ec, n] = co_await stream_.async_write(buffers, as_values);
    timeout_.disarm();
    sent_ += n;
    if (ec) gone_ = true;
    co_return !ec;
}

void ServerConnection::begin_head(unsigned status, std::optional<std::uint64_t> content_length) {
    append_status_line(out_head_, status);
    chunked_ = false;
    body_left_ = 0;
    const bool bodiless = status == 204 || status == 304 || status < 200;
    if (content_length) {
        body_left_ = *content_length;
        if (!bodiless || status == 304) {
            char digits[24];
            const auto end = std::to_chars(digits, digits + sizeof digits, *content_length).ptr;
            append_field(out_head_, "Content-Length", {digits, static_cast<std::size_t>(end - digits)});
        }
    } else if (head_.version >= 11) {
        chunked_ = true;
        out_head_.append("Transfer-Encoding: chunked\r\n");
    } else {
        close_after_ = true;
    }
    if (draining_) close_after_ = true;
    if (close_after_)
        out_head_.append("Connection: close\r\n");
    else if (head_.version < 11)
        out_head_.append("Connection: keep-alive\r\n");
}

asio::awaitable<bool> ServerConnection::write_pieces(std::span<const std::string_view> pieces, bool last) {
    Buffers buffers;
    if (head_due_) {
        buffers.push_back(asio::buffer(out_head_));
        head_due_ = false;
    }
    started_ = true;
    std::size_t size = 0;
    for (const std::string_view piece : pieces) size += piece.size();
    if (head_.method == "HEAD") size = 0;
    if (size > 0) {
        if (chunked_) {
            auto end = std::to_chars(chunk_line_.data(), chunk_line_.data() + 17, size, 16).ptr;
            *end++ = '\r';
            *end++ = '\n';
            buffers.push_back(
                asio::buffer(chunk_line_.data(), static_cast<std::size_t>(end - chunk_line_.data())));
        }
        for (const std::string_view piece : pieces) buffers.push_back(asio::buffer(piece));
        if (chunked_ && !last) buffers.push_back(asio::buffer(std::string_view("\r\n")));
    }
    if (last && chunked_ && head_.method != "HEAD")
        buffers.push_back(asio::buffer(std::string_view(size > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n")));
    if (!chunked_) body_left_ -= std::min<std::uint64_t>(body_left_, size);
    const bool ok = co_await send(buffers);
    // A body shorter than its Content-Length leaves the connection unusable.
    if (last) {
        if (!chunked_ && body_left_ > 0 && head_.method != "HEAD") close_after_ = true;
        finished_ = ok;
    }
    co_return ok;
}

const RequestHead& Exchange::request() const noexcept {
    return connection_.head_;
}
std::string_view Exchange::body() const noexcept {
    return connection_.body_;
}
std::string_view Exchange::peer() const noexcept {
    return connection_.peer_;
}
Mono Exchange::received_at() const noexcept {
    return connection_.received_at_;
}
asio::io_context& Exchange::context() const noexcept {
    return connection_.context_;
}
bool Exchange::started() const noexcept {
    return connection_.started_;
}
bool Exchange::client_gone() const noexcept {
    return connection_.gone_;
}
std::uint64_t Exchange::bytes_sent() const noexcept {
    return connection_.sent_;
}

asio::awaitable<bool> Exchange::respond(unsigned status, std::span<const Field> extra,
                                        std::string_view body) {
    ServerConnection& c = connection_;
    c.out_head_.clear();
    c.begin_head(status, body.size());
    for (const Field& f : extra) append_field(c.out_head_, f.name, f.value);
    c.out_head_.append("\r\n");
    c.head_due_ = true;
    co_return co_await c.write_pieces(std::span(&body, 1), true);
}

void Exchange::start(unsigned status, std::string_view fields, std::optional<std::uint64_t> content_length) {
    connection_.out_head_.clear();
    connection_.begin_head(status, content_length);
    connection_.out_head_.append(fields).append("\r\n");
    connection_.head_due_ = true;
}

asio::awaitable<bool> Exchange::write(std::string_view piece) {
    co_return co_await connection_.write_pieces(std::span(&piece, 1), false);
}
asio::awaitable<bool> Exchange::write(std::span<const std::string_view> pieces) {
    return connection_.write_pieces(pieces, false);
}
asio::awaitable<bool> Exchange::finish(std::string_view last) {
    co_return co_await connection_.write_pieces(std::span(&last, 1), true);
}
void Exchange::abort() {
    connection_.started_ = true;
    connection_.close_after_ = true;
    connection_.stream_.close();
}
void Exchange::on_gone(std::function<void()> callback) {
    if (callback && connection_.gone_) {
        callback();
        return;
    }
    connection_.on_gone_ = std::move(callback);
}

}  // namespace spillway::http
