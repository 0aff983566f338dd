#include "http/client_connection.hpp"

#include <bit>

#include "base/task.hpp"
#include "http/endpoint.hpp"
#include "http/simple_head.hpp"

namespace spillway::http {

namespace {
constexpr std::size_t smallest_read = 4 * 1024;
constexpr std::size_t largest_read = 64 * 1024;

/// Pieces as the buffers of one gathered write.
class Gathered {
public:
    explicit Gathered(std::span<const std::string_view> pieces) {
        for (const std::string_view piece : pieces)
            if (!piece.empty()) buffers_.push_back(piece);
    }
    [[nodiscard]] Buffers all() noexcept { return {buffers_.data(), buffers_.size()}; }

private:
    boost::container::small_vector<std::string_view, 12> buffers_;
};
}  // namespace

ClientConnection::ClientConnection(Loop& loop, std::weak_ptr<Pool> pool, std::size_t max_head_bytes)
    : stream_(loop, *this, EventClass::work_under_way),
      in_(BufferPool::of(loop)),
      wheel_(TimerWheel::of(loop)),
      read_size_(smallest_read),
      timeout_([this] { expired(); }),
      loop_(loop),
      pool_(std::move(pool)),
      max_head_bytes_(max_head_bytes) {}

void ClientConnection::close() noexcept {
    parked_ = false;
    timeout_.disarm();
    stream_.close();
}

void ClientConnection::cancel() noexcept {
    cancelled_ = true;
    stream_.close();
}

void ClientConnection::expired() {
    if (parked_) {
        // The pool lets go of it, and a Timeout must outlive its callback.
        loop_.post([keep = shared_from_this()] {});
        if (const auto pool = pool_.lock()) pool->lost(*this);
        return;
    }
    timed_out_ = true;
    stream_.close();
}

NetError ClientConnection::failure(const std::error_code& ec) {
    if (cancelled_) return {NetError::Kind::cancelled, "cancelled"};
    if (timed_out_) return {NetError::Kind::timeout, "timed out"};
    if (ec == IoError::tls && stream_.transport() != nullptr)
        return {NetError::Kind::closed, "TLS: " + stream_.transport()->problem()};
    return {is_local_shortage(ec) ? NetError::Kind::local : NetError::Kind::closed, ec.message()};
}

void ClientConnection::start_read() {
    if (!read_error_) stream_.start_read();
}

std::span<char> ClientConnection::read_space() {
    if (sink_ != nullptr && !pouring_) sink_->on_readable();
    const std::size_t held = in_.size();
    return in_.prepare(held < read_size_ / 2 ? read_size_ - held : read_size_);
}

void ClientConnection::unread() {
    in_.rest();
}

void ClientConnection::did_read(const std::error_code& ec, std::size_t n) {
    in_.commit(n);
    read_error_ = ec;
    most_read_ = std::max(most_read_, n);
    if (n >= read_size_) read_size_ = std::min(read_size_ * 2, largest_read);
    if (parked_) {  // unsolicited: a close, or bytes that belong to no answer
        if (const auto pool = pool_.lock()) pool->lost(*this);
        return;
    }
    if (pouring_) return;
    if (sink_ != nullptr) {
        pour_on();
        if (sink_ != nullptr) return;
    }
    readable_.set();
}

void ClientConnection::begin_wait(Duration timeout) {
    wheel_.arm(timeout_, timeout);
    in_.rest();  // no memory is held while waiting
    readable_.reset();
    start_read();
}

/// Are there no more bytes in in_ than there were? If so, they are waited for.
bool ClientConnection::wants_more(std::size_t before, Duration timeout) {
    if (in_.size() > before || read_error_) {
        timeout_.disarm();
        return false;
    }
    begin_wait(timeout);
    return true;
}

bool ClientConnection::send_now(std::span<std::string_view> pieces) {
    Gathered buffers(pieces);
    answered_ = sent_ = false;
    std::error_code ec;
    std::size_t left = stream_.write_now(buffers.all(), ec);
    for (std::string_view& piece : pieces) {
        const std::size_t part = std::min(left, piece.size());
        piece.remove_prefix(part);
        left -= part;
        if (!piece.empty()) return false;
    }
    sent_ = true;
    return true;
}

Task<NetResult<void>> ClientConnection::send(std::span<const std::string_view> pieces, Duration timeout) {
    Gathered buffers(pieces);
    answered_ = sent_ = false;
    std::error_code ec;
    const std::size_t n = stream_.write_now(buffers.all(), ec);
    const auto rest = behind(buffers.all(), n);
    if (!rest.empty()) {
        wheel_.arm(timeout_, timeout);
        start_read();  // an answer that comes before the request is out is not missed
        std::function<void()> progress = [this, timeout] { wheel_.arm(timeout_, timeout); };
        const auto written = co_await stream_.write(rest, std::move(progress));
        ec = written.ec;
        timeout_.disarm();
    }
    sent_ = !ec;
    // Who refuses a request early may close at once; what it said is in in_.
    if (ec && (in_.empty() || stopped())) co_return failure(ec);
    co_return NetResult<void>();
}

/// Parses the head at the front of in_; false for an interim one, which is dropped.
NetResult<bool> ClientConnection::parse_head(std::size_t size, bool head_request) {
    head_text_.assign(in_.view().substr(0, size));
    in_.consume(size);
    head_.fields.clear();
    if (head_request || !read_simple_head(head_text_, head_)) {
        head_ = {};
        Parser<false> parser(head_, head_request);
        std::size_t parsed = 0;
        if (parser.parse_head(head_text_, parsed) != ParseState::head_done)
            return NetError{NetError::Kind::protocol, parser.fault() == HeadFault::too_many_fields
                                                          ? "the head has too many fields"
                                                          : "the head is not valid HTTP/1.1"};
        chunks_ = {};
    }
    if (head_.status == 101 || head_.status < 100)
        return NetError{NetError::Kind::protocol, "switches protocols unasked"};
    if (head_.status < 200) return false;  // RFC 9110 §15.2
    body_left_ = head_.content_length;
    answered_ = head_.framing == Framing::none;
    return true;
}

Task<NetResult<const ResponseHead*>> ClientConnection::read_head(Duration timeout, bool head_request) {
    const bool limited = timeout > Duration::zero();
    const Mono deadline = limited ? TimerWheel::coarse_now() + timeout : Mono{};
    in_.consume(std::exchange(used_, 0));
    std::size_t scanned = 0;
    bool heard = false;
    for (;;) {
        const std::size_t size = find_head_end(in_.view(), scanned);
        heard = heard || in_.size() > 0;
        if ((size > 0 ? size : in_.size()) > max_head_bytes_)
            co_return NetError{NetError::Kind::protocol, "the head is too large"};
        if (size > 0) {
            const auto parsed = parse_head(size, head_request);
            if (!parsed) co_return parsed.error();
            if (*parsed) co_return &head_;
            scanned = 0;
            continue;
        }
        constexpr std::string_view start = "HTTP/1.";
        if (in_.view().substr(0, start.size()) != start.substr(0, in_.size()))
            co_return NetError{NetError::Kind::protocol, "not HTTP/1.1"};
        const Duration left = limited ? deadline - TimerWheel::coarse_now() : Duration::zero();
        if (limited && left <= Duration::zero()) co_return NetError{NetError::Kind::timeout, "timed out"};
        const std::size_t before = in_.size();
        while (wants_more(before, left))
            while (!readable_.is_set()) co_await readable_.wait();
        if (in_.size() != before) continue;
        NetError ended = failure(read_error_);
        // Who has begun to answer has got the request: not to be taken for a connection that was closed
        // before.
        if (heard && ended.kind == NetError::Kind::closed)
            ended = {NetError::Kind::protocol, "ended within the answer's head: " + ended.message};
        co_return ended;
    }
}

std::string_view ClientConnection::next_by_length() {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, in_.size()));
    body_left_ -= size;
    answered_ = body_left_ == 0;
    used_ = size;
    return in_.view().substr(0, size);
}

/// Decodes what has arrived and moves the pieces together, so that many small chunks become one.
NetResult<std::string_view> ClientConnection::next_by_chunks() {
    used_ = chunks_.decode(in_.view());
    if (chunks_.failed()) return NetError{NetError::Kind::protocol, "the chunked body is malformed"};
    answered_ = chunks_.is_done();
    if (!answered_ && in_.size() - used_ > max_head_bytes_)
        return NetError{NetError::Kind::protocol, "a chunk's line or the trailers are too large"};
    const auto& pieces = chunks_.pieces();
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

std::optional<std::string_view> ClientConnection::body_now() {
    in_.consume(std::exchange(used_, 0));
    if (answered_) return std::string_view();
    if (in_.empty() || head_.framing != Framing::length) return std::nullopt;
    return next_by_length();
}

std::optional<NetResult<std::string_view>> ClientConnection::piece_now() {
    for (;;) {
        if (const auto ready = body_now()) return *ready;
        if (in_.empty()) return std::nullopt;
        if (head_.framing != Framing::chunked) {
            used_ = in_.size();
            return in_.view();
        }
        auto piece = next_by_chunks();
        if (!piece || !piece->empty()) return piece;
        if (used_ == 0) return std::nullopt;
    }
}

bool ClientConnection::ended_by_close() {
    if (head_.framing != Framing::until_close || read_error_ != IoError::eof || stopped()) return false;
    answered_ = true;
    return true;
}

Task<NetResult<std::string_view>> ClientConnection::read_body(Duration timeout) {
    for (;;) {
        if (const auto ready = piece_now()) co_return *ready;
        const std::size_t before = in_.size();
        while (wants_more(before, timeout))
            while (!readable_.is_set()) co_await readable_.wait();
        if (in_.size() > before) continue;
        if (ended_by_close()) co_return std::string_view();
        co_return failure(read_error_);
    }
}

/// Pours what is there; sets poured_ when that is all, for now or for good.
void ClientConnection::pour_now() {
    while (const auto piece = piece_now()) {
        if (!*piece)
            poured_.emplace(piece->error());
        else if ((*piece)->empty())
            poured_.emplace(true);
        else if (!sink_->on_data(**piece))
            poured_.emplace(false);
        if (poured_) return;
    }
}

/// Pours what has arrived, then waits for more, or releases the sink so that pour() returns.
void ClientConnection::pour_on() noexcept {
    pouring_ = true;
    try {
        for (;;) {
            pour_now();
            if (poured_ || read_error_) break;
            begin_wait(pour_timeout_);
            if (!stream_.reading()) continue;  // there was more
            pouring_ = false;
            return;
        }
    } catch (...) {
        sink_failed_ = std::current_exception();
    }
    pouring_ = false;
    sink_ = nullptr;
}

Task<NetResult<bool>> ClientConnection::pour(BodySink& sink, Duration timeout) {
    const struct LetsGo {  // also when the coroutine is destroyed while it waits
        BodySink*& held;
        ~LetsGo() { held = nullptr; }
    } lets_go{sink_};
    sink_ = &sink;
    pour_timeout_ = timeout;
    pour_on();
    while (sink_ != nullptr) co_await readable_.wait();
    timeout_.disarm();
    if (sink_failed_) std::rethrow_exception(std::exchange(sink_failed_, nullptr));
    if (poured_) {
        NetResult<bool> result = std::move(*poured_);
        poured_.reset();
        co_return result;
    }
    if (ended_by_close()) co_return true;
    co_return failure(read_error_);
}

bool ClientConnection::reusable() const noexcept {
    return answered_ && sent_ && head_.keep_alive && head_.framing != Framing::until_close &&
           in_.size() == used_ && !stream_.reading() && !read_error_ && !stopped();
}

void ClientConnection::park(Duration idle_timeout) {
    in_.release();
    used_ = 0;
    read_size_ = std::clamp(std::bit_ceil(std::exchange(most_read_, 0)), smallest_read, largest_read);
    reused_ = parked_ = true;
    wheel_.arm(timeout_, idle_timeout);
    start_read();
}

void ClientConnection::unpark() noexcept {
    parked_ = false;
    timeout_.disarm();
}

}  // namespace spillway::http
