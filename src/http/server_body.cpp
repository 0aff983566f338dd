// How a ServerConnection reads the body of a request whose handler has the head.
#include "base/task.hpp"
#include "http/server_connection.hpp"

namespace spillway::http {

namespace {
/// Chunk lines and trailers, which carry no content, may take so much.
constexpr std::size_t max_chunk_line = 16 * 1024;
constexpr std::size_t chunked_read = 16 * 1024;
constexpr Duration skip_time = std::chrono::seconds(5);
}  // namespace

Task<BodyFault> ServerConnection::read_body() {
    BodyFault fault = BodyFault::none;
    if (!body_due_) co_return fault;
    if (head_.framing == Framing::length)
        fault = co_await read_length_body();
    else
        fault = co_await read_chunked_body();
    read_until_ = 0;
    timed_out_ = false;
    stream_.expect(EventClass::new_work);
    start_read();  // as exchange() does
    body_due_ = fault != BodyFault::none;
    if (body_due_) close_after_ = true;
    co_return fault;
}

BodyPace ServerConnection::body_pace() const {
    return {limits_.body_timeout, limits_.body_time, limits_.body_rate, mono_now()};
}

Task<bool> ServerConnection::send_continue() {
    if (!std::exchange(head_.expects_continue, false) || head_.version < 11 || !in_.empty()) co_return true;
    std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool ok = co_await send({&line, 1});
    sent_ = 0;
    co_return ok;
}

Task<BodyFault> ServerConnection::read_length_body() {
    if (head_.content_length > most_body(head_, limits_)) co_return BodyFault::too_large;
    const auto size = static_cast<std::size_t>(head_.content_length);
    const BodyFault no_room = charge_body(charge_, size, limits_);
    if (no_room != BodyFault::none) co_return no_room;
    const bool welcome = co_await send_continue();
    if (!welcome) co_return BodyFault::gone;
    read_until_ = size;  // one reserve for all of it
    const BodyPace pace = body_pace();
    while (in_.size() < size) {
        const Mono now = mono_now();
        if (pace.is_over(in_.size(), now)) co_return BodyFault::too_slow;
        const bool came = co_await more(pace.wait(in_.size(), now), Expiry::stop_reading);
        if (!came) co_return eof_ ? BodyFault::gone : BodyFault::too_slow;
    }
    std::swap(content_, in_);
    in_.clear();
    in_.append(content_.view().substr(size));
    body_ = content_.view().substr(0, size);
    co_return BodyFault::none;
}

Task<BodyFault> ServerConnection::read_chunked_body() {
    const bool welcome = co_await send_continue();
    if (!welcome) co_return BodyFault::gone;
    const BodyPace pace = body_pace();
    const std::size_t most = most_body(head_, limits_);
    ChunkedDecoder chunks;
    for (;;) {
        const std::size_t used = chunks.decode(in_.view());
        if (chunks.failed() || (!chunks.is_done() && in_.size() - used > max_chunk_line))
            co_return BodyFault::malformed;
        std::size_t size = content_.size();
        for (const std::string_view piece : chunks.pieces()) size += piece.size();
        if (size > most) co_return BodyFault::too_large;
        const BodyFault no_room = charge_body(charge_, body_charge(size, most), limits_);
        if (no_room != BodyFault::none) co_return no_room;
        for (const std::string_view piece : chunks.pieces()) content_.append(piece);
        in_.consume(used);
        if (chunks.is_done()) break;
        read_until_ = in_.size() + chunked_read;
        const Mono now = mono_now();
        if (pace.is_over(size, now)) co_return BodyFault::too_slow;
        const bool came = co_await more(pace.wait(size, now), Expiry::stop_reading);
        if (!came) co_return eof_ ? BodyFault::gone : BodyFault::too_slow;
    }
    (void)content_.prepare(1);  // an empty body needs its padding, too
    body_ = content_.view();
    co_return BodyFault::none;
}

/// A client that waits for 100 Continue may instead send its next request.
bool ServerConnection::is_short() const noexcept {
    return head_.framing == Framing::length && head_.content_length <= most_ahead && !head_.expects_continue;
}

/// Skips what the handler did not read. Uses only the length from the head, whose views are gone.
Task<bool> ServerConnection::skip_body() {
    const auto size = static_cast<std::size_t>(head_.content_length);
    const Mono until = mono_now() + skip_time;
    while (in_.size() < size) {
        const Duration left = until - mono_now();
        if (left <= Duration::zero()) co_return false;
        read_until_ = size;
        const bool came = co_await more(left, Expiry::stop_reading);
        if (!came) {
            timed_out_ = false;  // it has its answer; the connection only ends
            co_return false;
        }
    }
    in_.consume(size);
    co_return true;
}

void ServerConnection::release_request() noexcept {
    body_ = {};
    request_.release();
    content_.release();
    charge_.release();
}

}  // namespace spillway::http
