#include "http/client_connection.hpp"

#include <boost/asio/error.hpp>

namespace spillway::http {

namespace {
constexpr std::size_t read_size = 16 * 1024;
constexpr std::size_t kept_buffer = 64 * 1024;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
}  // namespace

ClientConnection::ClientConnection(asio::io_context& context, std::size_t max_head_bytes)
    : context_(context),
      max_head_bytes_(max_head_bytes),
      stream_(Stream::Socket(context.get_executor())),
      timeout_([this] {
          if (lost_) {  // idle for too long
              const auto lost = std::move(lost_);
              lost_ = nullptr;
              lost();
              return;
          }
          timed_out_ = true;
          stream_.close();
      }) {}

void ClientConnection::close() noexcept {
    lost_ = nullptr;
    timeout_.disarm();
    stream_.close();
}

void ClientConnection::cancel() noexcept {
    cancelled_ = true;
    stream_.close();
}

NetError ClientConnection::failure(const boost::system::error_code& ec) const {
    if (cancelled_) return {NetError::Kind::cancelled, "cancelled"};
    if (timed_out_) return {NetError::Kind::timeout, "timed out"};
    return {NetError::Kind::closed, ec == asio::error::eof ? "closed by the peer" : ec.message()};
}

void ClientConnection::start_read() {
    if (reading_ || read_error_) return;
    reading_ = true;
    readable_.reset();
    const auto space = in_.prepare(read_size);
    stream_.async_read_some(asio::buffer(space.data(), space.size()),
                            [self = shared_from_this()](const boost::system::error_code& ec, std::size_t n) {
                                self->reading_ = false;
                                self->in_.commit(n);
                                self->read_error_ = ec;
                                if (self->lost_) {
                                    // Nobody asked: a close, or bytes that belong to no answer.
                                    const auto lost = std::move(self->lost_);
                                    self->lost_ = nullptr;
                                    lost();
                                }
                                self->readable_.set();
                            });
}

asio::awaitable<NetResult<void>> ClientConnection::more(Duration timeout) {
    if (read_error_) co_return failure(read_error_);
    const std::size_t had = in_.size();
    TimerWheel::of(context_).arm(timeout_, timeout);
    start_read();
    co_await readable_.wait();
    timeout_.disarm();
    if (in_.size() > had) co_return NetResult<void>();
    co_return failure(read_error_ ? read_error_ : make_error_code(asio::error::eof));
}

asio::awaitable<NetResult<void>> ClientConnection::send(std::span<const std::string_view> pieces,
                                                        Duration timeout) {
    boost::container::small_vector<asio::const_buffer, 12> buffers;
    for (const std::string_view piece : pieces)
        if (!piece.empty()) buffers.push_back(asio::buffer(piece));
    answered_ = false;
    TimerWheel::of(context_).arm(timeout_, timeout);
    const auto [ec, n] = co_await stream_.async_write(buffers, as_values);
    (void)n;
    timeout_.disarm();
    if (ec) co_return failure(ec);
    co_return NetResult<void>();
}

asio::awaitable<NetResult<const ResponseHead*>> ClientConnection::read_head(Duration timeout,
                                                                            bool head_request) {
    const Mono deadline = mono_now() + timeout;
    in_.consume(used_);
    used_ = 0;
    for (;;) {
        head_ = {};
        parser_.emplace(head_, max_head_bytes_, head_request);
        boost::system::error_code ec;
        std::size_t size = 0;
        const ParseState state =
            in_.empty() || reading_ ? ParseState::need_more : parser_->parse_head(in_.view(), size, ec);
        if (state == ParseState::error || (state == ParseState::need_more && in_.size() > max_head_bytes_))
            co_return NetError{NetError::Kind::protocol, ec ? ec.message() : "the head is too large"};
        if (state == ParseState::head_done) {
            if (head_.status == 101)
                co_return NetError{NetError::Kind::protocol, "switches protocols unasked"};
            if (head_.status < 200) {  // interim answers are skipped (RFC 9110 §15.2)
                in_.consume(size);
                continue;
            }
            used_ = size;
            body_left_ = head_.content_length;
            answered_ = head_.framing == Framing::none;
            co_return &head_;
        }
        const Duration left = deadline - mono_now();
        if (timeout > Duration::zero() && left <= Duration::zero())
            co_return NetError{NetError::Kind::timeout, "timed out"};
        if (const auto got = co_await more(timeout > Duration::zero() ? left : Duration::zero()); !got)
            co_return got.error();
    }
}

std::string_view ClientConnection::take_length() {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, in_.size()));
    body_left_ -= size;
    answered_ = body_left_ == 0;
    used_ = size;
    return in_.view().substr(0, size);
}

/// Decodes what is there and moves the pieces together, so that many small chunks go on as one.
NetResult<std::string_view> ClientConnection::take_chunked() {
    boost::system::error_code ec;
    used_ = parser_->parse_body(in_.view(), ec);
    if (ec) return NetError{NetError::Kind::protocol, ec.message()};
    answered_ = parser_->is_done();
    const auto& pieces = parser_->pieces();
    if (pieces.empty()) return std::string_view();
    if (pieces.size() == 1) return pieces.front();
    char* const start = in_.data() + (pieces.front().data() - in_.data());
    char* end = start;
    for (const std::string_view piece : pieces) {
        std::memmove(end, piece.data(), piece.size());
        end += piece.size();
    }
    return std::string_view(start, static_cast<std::size_t>(end - start));
}

asio::awaitable<NetResult<std::string_view>> ClientConnection::read_body(Duration timeout) {
    for (;;) {
        // The head's views (in the same buffer) hold as long as no byte before them is dropped: consume()
        // only moves the read position, and start_read() moves bytes only when it must.
        in_.consume(used_);
        used_ = 0;
        if (answered_) co_return std::string_view();
        if (!in_.empty()) {
            if (head_.framing == Framing::chunked) {
                const auto piece = take_chunked();
                if (!piece || !piece->empty()) co_return piece;
                if (used_ > 0) continue;
            } else if (head_.framing == Framing::length) {
                co_return take_length();
            } else {
                used_ = in_.size();
                co_return in_.view();
            }
        }
        if (const auto got = co_await more(timeout); !got) {
            if (head_.framing == Framing::until_close && read_error_ == asio::error::eof && !timed_out_ &&
                !cancelled_) {
                answered_ = true;
                co_return std::string_view();
            }
            co_return got.error();
        }
    }
}

bool ClientConnection::reusable() const noexcept {
    return answered_ && head_.keep_alive && head_.framing != Framing::until_close && in_.size() == used_ &&
           !read_error_ && !timed_out_ && !cancelled_;
}

void ClientConnection::park(Duration idle_timeout, std::function<void()> lost) {
    in_.clear();
    used_ = 0;
    in_.shrink(kept_buffer);
    reused_ = true;
    lost_ = std::move(lost);
    TimerWheel::of(context_).arm(timeout_, idle_timeout);
    start_read();
}

void ClientConnection::unpark() noexcept {
    lost_ = nullptr;
    timeout_.disarm();
}

}  // namespace spillway::http
