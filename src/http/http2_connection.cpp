#include "http/http2_connection.hpp"

#include <algorithm>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/http2_exchange.hpp"

namespace spillway::http {

namespace {
constexpr std::size_t read_size = 16 * 1024;
/// Frames that wait to be sent, before the client has to read some.
constexpr std::size_t most_queued = 1000;
/// One turn's frames; what is not on its way yet can still be outrun by another stream's.
constexpr std::size_t write_size = 64 * 1024;
constexpr Duration goodbye_time = std::chrono::seconds(2);
}  // namespace

/// A handler's time at work, however its coroutine ends.
class Http2Connection::Busy {
public:
    explicit Busy(Http2Connection& connection) : connection_(connection) { ++connection_.busy_; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    ~Busy() {
        --connection_.busy_;
        connection_.end_if_over();
    }

private:
    Http2Connection& connection_;
};

Http2Connection::Http2Connection(Stream& stream, std::shared_ptr<void> owner, Loop& loop,
                                 std::shared_ptr<const ServerShared> shared, std::string_view peer,
                                 PeerCertificate* certificate)
    : stream_(stream),
      owner_(std::move(owner)),
      loop_(loop),
      wheel_(TimerWheel::of(loop)),
      shared_(std::move(shared)),
      peer_(peer),
      certificate_(certificate),
      idle_([this] {
          give_up(NGHTTP2_NO_ERROR);
          pump_later();
      }),
      stuck_([this] { stream_.close(); }),
      goodbye_([this] {
          if (leaving_)
              stream_.close();
          else
              refuse_new_streams();
          pump_later();
      }),
      in_(BufferPool::of(loop)),
      out_(BufferPool::of(loop)) {
    open_session();
}

Http2Connection::~Http2Connection() = default;

Task<void> Http2Connection::run() {
    settle();
    while (!over_.is_set()) co_await over_.wait();
}

void Http2Connection::read() {
    if (reading_ || dead_) return;
    if (writing_ && nghttp2_session_get_outbound_queue_size(session_.get()) > most_queued) return;
    reading_ = true;
    stream_.start_read();
}

std::span<char> Http2Connection::read_space() {
    in_.clear();
    return in_.prepare(read_size);
}

void Http2Connection::did_read(const std::error_code& ec, std::size_t n) {
    const auto self = shared_from_this();
    reading_ = false;
    if (ec || dead_) {
        fail();
    } else {
        in_session_ = true;
        const auto used =
            nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(in_.data()), n);
        in_session_ = false;
        if (used < 0) fail();
    }
    in_.release();
    settle();
}

void Http2Connection::pump() {
    if (in_session_ || writing_ || dead_) return;
    if (doom_ && !leaving_)
        (void)nghttp2_session_terminate_session(session_.get(), *std::exchange(doom_, {}));
    ssize_t n = 0;
    do {
        in_session_ = true;
        while (out_.size() < write_size) {
            const std::uint8_t* bytes = nullptr;
            n = nghttp2_session_mem_send(session_.get(), &bytes);
            if (n <= 0) break;
            out_.append({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n)});
        }
        in_session_ = false;
        if (n < 0) {
            fail();
            return;
        }
        if (!out_.empty()) write();
        if (writing_ || dead_) return;
    } while (n > 0);
    const bool waits = draining_ && !last_call_;
    if (nghttp2_session_want_read(session_.get()) == 0 && !waits) say_goodbye();
}

void Http2Connection::pump_later() {
    loop_.post([self = shared_from_this()] { self->settle(); });
}

void Http2Connection::write() {
    std::error_code ec;
    std::string_view bytes = out_.view();
    const std::size_t n = stream_.write_now(Buffers(&bytes, 1), ec);
    out_.consume(n);
    if (ec) {
        fail();
    } else if (out_.empty()) {
        out_.release();
    } else {
        writing_ = true;
        loop_.spawn(write_all());
    }
}

/// What the socket did not take at once.
Task<void> Http2Connection::write_all() {
    const auto self = shared_from_this();
    wheel_.arm(stuck_, limits().write_timeout);
    std::string_view bytes = out_.view();
    const auto written =
        co_await stream_.write(Buffers(&bytes, 1), [this] { wheel_.arm(stuck_, limits().write_timeout); });
    writing_ = false;
    stuck_.disarm();
    out_.release();
    if (written.ec || dead_) fail();
    settle();
}

/// After anything happened: sends, calls handlers, reads on, and sees whether this is the end.
void Http2Connection::settle() {
    pump();
    read();
    while (!departed_.empty()) {
        const auto some = std::exchange(departed_, {});
        for (const auto& exchange : some) exchange->notify_gone();
    }
    while (!ready_.empty()) {
        const auto some = std::exchange(ready_, {});
        for (const auto& exchange : some)
            if (!exchange->gone()) loop_.spawn(serve(shared_from_this(), exchange));
    }
    if (!open_.empty() || busy_ > 0 || dead_)
        idle_.disarm();
    else if (!idle_.armed())
        wheel_.arm(idle_, greeted_ ? limits().keep_alive_timeout : limits().head_timeout);
    end_if_over();
}

void Http2Connection::end_if_over() {
    if (dead_ && !reading_ && !writing_ && busy_ == 0 && ready_.empty()) over_.set_later();
}

Task<void> Http2Connection::serve(std::shared_ptr<Http2Connection> self,
                                  std::shared_ptr<Http2Exchange> exchange) {
    {
        const Busy busy(*self);
        Exchange call = exchange->begin();
        std::exception_ptr failure;
        bool wanted = !self->crowded_;
        if (!wanted)
            exchange->refuse(429, crowded_message, crowded_code);
        else if (!self->shared_->heads_first)
            wanted = co_await exchange->read_whole();
        if (wanted) {
            try {
                co_await self->shared_->handler(call);
            } catch (...) {
                failure = std::current_exception();
            }
        }
        if (failure && self->shared_->on_exception) self->shared_->on_exception(failure);
        exchange->end();
        if (self->crowded_) self->drain();
    }
    self->settle();
}

void Http2Connection::ready(Http2Exchange& exchange) {
    ready_.push_back(exchange.shared_from_this());
}

void Http2Connection::close_streams() {
    if (!open_.empty()) pump_later();
    const auto open = std::exchange(open_, {});
    for (const auto& [id, exchange] : open) {
        exchange->close();
        departed_.push_back(exchange);
    }
}

void Http2Connection::fail() {
    if (dead_) return;
    dead_ = true;
    idle_.disarm();
    stuck_.disarm();
    goodbye_.disarm();
    stream_.close();
    close_streams();
}

/// All is said. Writing ends first, so that the last answer reaches the client (as in HTTP/1.1). GOAWAY has
/// told the end, under the protection of TLS: its close_notify would tell nothing more.
void Http2Connection::say_goodbye() {
    if (leaving_) return;
    leaving_ = true;
    close_streams();
    stream_.end_writing();
    wheel_.arm(goodbye_, goodbye_time);
}

void Http2Connection::give_up(std::uint32_t code) {
    if (!doom_) doom_ = code;
    last_call_ = true;
}

/// What the client sent before it heard of it is still taken (RFC 9113 §6.8): the last word comes after a
/// PING.
void Http2Connection::drain() {
    if (draining_ || leaving_ || dead_) return;
    draining_ = true;
    (void)nghttp2_submit_shutdown_notice(session_.get());
    (void)nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
    wheel_.arm(goodbye_, goodbye_time);
    pump_later();
}

void Http2Connection::refuse_new_streams() {
    if (last_call_) return;
    last_call_ = true;
    goodbye_.disarm();
    (void)nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR,
                                nullptr, 0);
}

}  // namespace spillway::http
