#include "http/stream.hpp"

#include <utility>

#include "base/task.hpp"

namespace spillway::http {

namespace {
/// Reads in one connection's turn, before others have theirs.
constexpr unsigned most_in_turn = 16;
}  // namespace

Stream::Stream(Loop& loop, StreamUser& user, EventClass events)
    : Watcher(events), user_(user), poller_(Poller::of(loop)), expected_(events) {}

Stream::~Stream() {
    if (transport_) poller_.remove(transport_->fd(), *this);
}

void Stream::open(std::unique_ptr<Transport> transport, std::error_code& ec) {
    poller_.add(transport->fd(), *this, ec);
    if (!ec) transport_ = std::move(transport);
}

Task<std::error_code> Stream::handshake() {
    for (bool waited = false;; waited = true) {
        if (!transport_) co_return IoError::cancelled;
        const Transfer step = transport_->handshake();
        if (step.error) {
            readable_ = true;  // what came with it, or after
            co_return step.error;
        }
        if (!step.would_wait) {
            if (waited) readable_ = true;  // a request may have come together with the handshake's end
            break;
        }
        writable_.reset();
        writing_ = true;
        while (!writable_.is_set()) co_await writable_.wait();
        writing_ = false;
    }
    choose_turn();
    co_return std::error_code();
}

void Stream::start_read() {
    if (reading_) return;
    reading_ = true;
    if (transport_) {
        if (!readable_) return;
        if (++in_turn_ < most_in_turn)
            read();
        else
            poller_.call_soon(*this);
    } else {
        poller_.call_soon(*this);
    }
}

void Stream::expect(EventClass events) noexcept {
    expected_ = events;
    choose_turn();
}

void Stream::read() {
    const auto space = user_.read_space();
    const Transfer got = transport_->read(space);
    if (got.would_wait) {
        readable_ = false;
        user_.unread();
        return;
    }
    reading_ = false;
    if (!got.more && !ended_ && !got.error) readable_ = false;
    user_.did_read(got.error, got.n);
}

void Stream::on_ready(Ready ready) {
    if (transport_) transport_->on_ready(ready.ended);
    full_ = full_ && !ready.writable;
    if (writing_) writable_.set_later();
    in_turn_ = 0;
    readable_ = readable_ || ready.readable;
    ended_ = ended_ || ready.ended;
    if (reading_ && readable_ && !cancelled_) read();
}

void Stream::on_turn() {
    in_turn_ = 0;
    if (!transport_ && writing_) writable_.set_later();
    const bool ends = !transport_ || std::exchange(cancelled_, false);
    if (!reading_) return;
    if (ends) {
        reading_ = false;
        user_.did_read(IoError::cancelled, 0);
    } else if (readable_) {
        read();
    }
}

void Stream::cancel_read() {
    if (!reading_) return;
    cancelled_ = true;
    poller_.call_soon(*this);
}

std::size_t Stream::write_now(Buffers buffers, std::error_code& ec) {
    ec = {};
    if (!transport_) {
        ec = IoError::cancelled;
        return 0;
    }
    if (full_ || buffers.empty()) return 0;
    const Transfer sent = transport_->write(buffers);
    full_ = sent.would_wait;
    ec = sent.error;
    return sent.n;
}

Task<Stream::Written> Stream::write(Buffers rest, std::function<void()> progress) {
    Written done;
    for (;;) {
        const std::size_t n = write_now(rest, done.ec);
        if (done.ec) co_return done;
        done.n += n;
        if (n > 0) progress();
        rest = behind(rest, n);
        if (rest.empty()) co_return done;
        if (n > 0) continue;  // there may be room for what did not fit in one call
        writable_.reset();
        writing_ = true;
        choose_turn();
        while (!writable_.is_set()) co_await writable_.wait();
        writing_ = false;
        choose_turn();
    }
}

void Stream::drop(bool reset) noexcept {
    if (!transport_) return;
    transport_->shut(reset);
    poller_.remove(transport_->fd(), *this);
    transport_.reset();
    if (reading_ || writing_) poller_.call_soon(*this);
}

}  // namespace spillway::http
