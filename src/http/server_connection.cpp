#include "http/server_connection.hpp"

#include "base/task.hpp"
#include "http/http2_connection.hpp"

namespace spillway::http {

namespace {
constexpr std::size_t first_read = 4096;
constexpr Duration goodbye_time = std::chrono::seconds(5);
constexpr Duration goodbye_silence = std::chrono::seconds(1);
}  // namespace

ServerConnection::ServerConnection(Loop& loop, std::shared_ptr<const ServerShared> shared, std::string peer,
                                   AddressCounts::Place place)
    : Responder(loop),
      stream_(loop, *this, EventClass::new_work),
      timeout_([this] { expired(); }),
      wheel_(TimerWheel::of(loop)),
      shared_(std::move(shared)),
      limits_(shared_->limits),
      peer_text_(std::move(peer)),
      place_(std::move(place)),
      in_(BufferPool::of(loop)),
      request_(BufferPool::of(loop)),
      content_(BufferPool::of(loop)) {
    peer_ = peer_text_;
    writing_ = {reinterpret_cast<const std::byte*>(&out_head_),
                reinterpret_cast<const std::byte*>(&timeout_)};
}

Task<void> ServerConnection::run(std::unique_ptr<Transport> transport) {
    const auto self = shared_from_this();
    std::error_code ec;
    stream_.open(std::move(transport), ec);
    if (ec) co_return;
    wheel_.arm(timeout_, limits_.head_timeout);
    ec = co_await stream_.handshake();
    timeout_.disarm();
    if (ec == IoError::certificate) {
        if (shared_->on_refused_certificate)
            shared_->on_refused_certificate(peer_text_, stream_.transport()->problem());
        co_await say_goodbye();  // the alert must reach the client
    }
    if (ec) {
        stream_.close();
        co_return;
    }
    peer_certificate_ = stream_.transport()->peer_certificate();
    certificate_ = peer_certificate_.get();
    const bool served = co_await run_http2();
    if (served) co_return;
    do {
        const Read read = co_await read_request();
        if (read != Read::request) break;
        if (crowded_) {
            (void)co_await refuse(429, crowded_message, crowded_code);
            break;
        }
        co_await exchange();
        release_request();
        if (!finished_ || close_after_ || gone_) break;
        if (body_due_) {
            const bool skipped = co_await skip_body();
            if (!skipped) break;
        }
    } while (!draining_);
    if (finished_ && !dead_) co_await say_goodbye();
    if (started_ && !finished_) cut();
    stream_.close();
}

Task<bool> ServerConnection::run_http2() {
    if (stream_.transport()->protocol() != "h2") co_return false;
    auto connection = std::make_shared<Http2Connection>(stream_, shared_from_this(), loop_, shared_,
                                                        peer_text_, certificate_);
    http2_ = connection;
    if (crowded_) connection->refuse_requests();
    // Whoever is refused has to see why before it is told to leave.
    if (!crowded_ && (draining_ || shared_->last_answers)) connection->drain();
    co_await connection->run();
    co_return true;
}

Task<void> ServerConnection::exchange() {
    Exchange exchange = exchange_of(*this);
    busy_ = true;
    if (eof_) gone_ = true;
    stream_.expect(EventClass::new_work);
    start_read();  // the next request, or the client's departure
    std::exception_ptr failure;
    BodyFault fault = BodyFault::none;
    if (body_due_ && !shared_->heads_first) fault = co_await read_body();
    if (fault == BodyFault::none) {
        try {
            co_await shared_->handler(exchange);
        } catch (...) {
            failure = std::current_exception();
        }
    }
    busy_ = false;
    on_gone_ = nullptr;
    if (fault != BodyFault::none && !gone_) {
        const BodyRefusal why = explain(fault);
        (void)co_await refuse(why.status, why.message, why.code);
    }
    if (failure && shared_->on_exception) shared_->on_exception(failure);
    if (!finished_ && !started_ && !gone_)
        (void)co_await refuse(500, "The request was not answered.", "internal_error");
}

/// An answer sent in full must reach the client: closing while unread input waits would make the kernel reset
/// the connection, so writing ends first and reading goes on for a while (RFC 9112 §9.6).
Task<void> ServerConnection::say_goodbye() {
    if (eof_) co_return;
    stream_.end_writing();
    const Mono until = mono_now() + goodbye_time;
    read_until_ = 16 * 1024;
    for (Duration left = goodbye_time; left > Duration::zero(); left = until - mono_now()) {
        in_.clear();
        const bool came = co_await more(std::min<Duration>(left, goodbye_silence));
        if (!came) break;
    }
}

void ServerConnection::drain() {
    draining_ = true;
    close_after_ = true;
    if (const auto connection = http2_.lock()) {
        connection->drain();
        return;
    }
    if (received_at_ == Mono{}) {
        wheel_.arm(timeout_, last_chance);
        return;
    }
    // A request that waits to be read is answered, too.
    if (!busy_ && in_.empty() && !stream_.has_input()) stream_.close();
}

bool ServerConnection::idle() const noexcept {
    if (!stream_.is_open()) return false;
    if (const auto connection = http2_.lock()) return connection->idle() && !stream_.has_input();
    return !busy_ && in_.empty() && !started_ && !stream_.has_input();
}

void ServerConnection::announce_end() {
    if (const auto connection = http2_.lock()) connection->drain();
}

void ServerConnection::expired() {
    timed_out_ = true;
    if (expiry_ == Expiry::stop_reading)
        stream_.cancel_read();
    else
        stream_.close();
}

void ServerConnection::start_read() {
    if (!eof_) stream_.start_read();
}

std::span<char> ServerConnection::read_space() {
    if (const auto http2 = http2_.lock()) return http2->read_space();
    return in_.prepare(read_until_ > in_.size() ? read_until_ - in_.size() : first_read);
}

void ServerConnection::unread() {
    if (const auto http2 = http2_.lock())
        http2->unread();
    else
        in_.rest();
}

void ServerConnection::did_read(const std::error_code& ec, std::size_t n) {
    if (const auto http2 = http2_.lock()) {
        http2->did_read(ec, n);
        return;
    }
    in_.commit(n);
    const bool stopped = timed_out_ && expiry_ == Expiry::stop_reading && ec == IoError::cancelled;
    if (ec && !stopped) {
        eof_ = true;
        if (ec != IoError::eof && ec != IoError::truncated) dead_ = true;
        if (busy_ && !aborted_) left();
    } else if (busy_ && read_until_ == 0 && in_.size() < most_ahead) {  // reading a body asks for more
        start_read();
    }
    readable_.set();
}

void ServerConnection::left() {
    gone_ = true;
    if (const auto callback = std::exchange(on_gone_, nullptr)) callback();
}

/// Waits for more bytes in in_; false at the end of the connection or after `timeout`.
Task<bool> ServerConnection::more(Duration timeout, Expiry expiry) {
    const std::size_t before = in_.size();
    begin_wait(timeout, expiry);
    while (wants_more(before))
        while (!readable_.is_set()) co_await readable_.wait();
    co_return in_.size() > before;
}

void ServerConnection::begin_wait(Duration timeout, Expiry expiry) {
    stream_.expect(in_.empty() ? EventClass::new_work : EventClass::work_under_way);
    expiry_ = expiry;
    wheel_.arm(timeout_, timeout);
    in_.rest();  // no memory is held while waiting
}

/// Are there no more bytes in in_ than there were? If so, they are read.
bool ServerConnection::wants_more(std::size_t before) {
    if (in_.size() > before || eof_ || timed_out_) {
        timeout_.disarm();
        return false;
    }
    readable_.reset();
    start_read();
    return true;
}

}  // namespace spillway::http
