// How an Http2Exchange takes its request's body: until it is asked for, the client may send as much as the
// stream's first window lets through; then as much as memory was found for.
#include <algorithm>

#include "base/task.hpp"
#include "http/http2_connection.hpp"
#include "http/http2_exchange.hpp"

namespace spillway::http {

namespace {
/// As much as a length that a client merely claims may reserve.
constexpr std::size_t first_reserve = 64 * 1024;
/// Of a stream whose body is being read; what is on its way at once.
constexpr std::int32_t stream_window = 1024 * 1024;
}  // namespace

void Http2Exchange::add_body(std::string_view bytes) {
    if (refused_ || started_ || fault_ != BodyFault::none || !has_head_) return;
    const std::size_t size = data_.size() + bytes.size();
    const ServerLimits& limits = connection_.limits();
    if (size > limits.max_body_bytes && size > most_body(head_, limits)) {
        fault(BodyFault::too_large);
        return;
    }
    if (pace_ && size > std::max({free_body, charge_.bytes(),
                                  connection_charge_.bytes()})) {  // its length was not declared
        const std::size_t most = body_charge(size, most_body(head_, limits));
        BodyFault why = BodyFault::no_memory;
        if (connection_.charge(connection_charge_, most)) why = charge_body(charge_, most, limits);
        if (why != BodyFault::none) {
            fault(why);
            return;
        }
    }
    data_.append(bytes);
    if (!pace_) return;
    (void)nghttp2_session_consume_stream(connection_.session(), id_, bytes.size());
    arm_for_body();
}

void Http2Exchange::end_body() {
    if (refused_ || has_body_ || fault_ != BodyFault::none) return;
    has_body_ = true;
    body_ = data_.view();
    head_.content_length = body_.size();
    head_.framing = body_.empty() ? Framing::none : Framing::length;
    body_changed_.set_later();
}

void Http2Exchange::fault(BodyFault what) {
    if (fault_ == BodyFault::none) fault_ = what;
    body_changed_.set_later();
}

void Http2Exchange::arm_for_body() {
    const Mono now = mono_now();
    if (pace_->is_over(data_.size(), now))
        fault(BodyFault::too_slow);
    else
        connection_.wheel().arm(timeout_, pace_->wait(data_.size(), now));
}

Task<bool> Http2Exchange::read_whole() {
    BodyFault why = BodyFault::none;
    if (body_due_) why = co_await read_body();
    if (why == BodyFault::none) co_return true;
    const BodyRefusal said = explain(why);
    if (why != BodyFault::gone) refuse(said.status, said.message, said.code);
    co_return false;
}

Task<BodyFault> Http2Exchange::read_body() {
    BodyFault why = BodyFault::none;
    if (!body_due_) co_return why;
    reading_ = true;
    why = co_await gather_body();
    reading_ = false;
    timeout_.disarm();
    pace_.reset();
    body_due_ = why != BodyFault::none;
    if (body_due_) {
        fault_ = why;  // what else comes of it is passed over
        release_body();
    }
    co_return why;
}

Task<BodyFault> Http2Exchange::gather_body() {
    const ServerLimits& limits = connection_.limits();
    if (fault_ != BodyFault::none) co_return fault_;
    if (head_.content_length > most_body(head_, limits)) co_return BodyFault::too_large;
    const std::size_t size = std::max(data_.size(), static_cast<std::size_t>(head_.content_length));
    if (size > free_body) {
        BodyFault why = co_await wait_for_room(size);
        if (why == BodyFault::none) why = charge_body(charge_, size, limits);
        if (why != BodyFault::none) co_return why;
    }
    if (!has_body_) begin_body();
    while (!has_body_ && fault_ == BodyFault::none && !gone_ && !cut_) {
        body_changed_.reset();
        co_await body_changed_.wait();
    }
    if (gone_ || cut_) co_return BodyFault::gone;
    co_return fault_;
}

/// The connection's budget: first come, first served.
Task<BodyFault> Http2Exchange::wait_for_room(std::size_t size) {
    BodyFault why = BodyFault::none;
    if (!connection_.has_body_turns() && connection_.charge(connection_charge_, size)) co_return why;
    Http2Connection::BodyTurn turn(body_changed_);
    connection_.wait_for_body_turn(turn);
    connection_.wheel().arm(timeout_, connection_.limits().body_timeout);
    for (;;) {
        body_changed_.reset();
        co_await body_changed_.wait();
        why = fault_ == BodyFault::too_slow ? BodyFault::no_memory : fault_;  // not the client's fault
        if (gone_ || cut_) why = BodyFault::gone;
        if (why != BodyFault::none) break;
        if (connection_.is_next(turn) && connection_.charge(connection_charge_, size)) break;
    }
    timeout_.disarm();
    turn.unlink();
    connection_.next_body_turn();
    co_return why;
}

/// There is room: the client may send it.
void Http2Exchange::begin_body() {
    nghttp2_session* const session = connection_.session();
    pace_.emplace(connection_.limits().body_timeout, connection_.limits().body_time,
                  connection_.limits().body_rate, mono_now());
    arm_for_body();
    (void)data_.prepare(std::min(static_cast<std::size_t>(head_.content_length), first_reserve));
    if (head_.content_length == 0 || head_.content_length > first_window)
        (void)nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, id_, stream_window);
    (void)nghttp2_session_consume_stream(session, id_, data_.size());
    if (head_.expects_continue && data_.empty()) {
        std::string name = ":status";
        std::string value = "100";
        const nghttp2_nv status{reinterpret_cast<std::uint8_t*>(name.data()),
                                reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
                                NGHTTP2_NV_FLAG_NONE};
        (void)nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, id_, nullptr, &status, 1, nullptr);
    }
    connection_.pump();
}

void Http2Exchange::release_body() noexcept {
    body_ = {};
    data_.release();
    charge_.release();
    if (connection_charge_.bytes() == 0) return;
    connection_charge_.release();
    connection_.next_body_turn();
}

}  // namespace spillway::http
