#pragma once
/// One connection of a client pool. Internal to the http room.
///
/// A read is always pending while a connection is idle in its pool, so that a close by the peer is noticed at
/// once; the same read then receives the next answer, without another system call.
#include "base/event.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "http/buffer.hpp"
#include "http/client.hpp"
#include "http/parser.hpp"
#include "http/stream.hpp"

namespace spillway::http {

class ClientConnection;

/// The pool of idle connections, as they see it.
class Pool {
public:
    Pool() = default;
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    virtual ~Pool() = default;
    /// A parked connection cannot be used any more: closed by the peer, unsolicited bytes, or idle too long.
    virtual void lost(ClientConnection& connection) noexcept = 0;
};

class ClientConnection final : public std::enable_shared_from_this<ClientConnection>, private StreamUser {
public:
    ClientConnection(Loop& loop, std::weak_ptr<Pool> pool, std::size_t max_head_bytes);

    Task<NetResult<void>> send(std::span<const std::string_view> pieces, Duration timeout);
    bool send_now(std::span<std::string_view> pieces);
    Task<NetResult<const ResponseHead*>> read_head(Duration timeout, bool head_request);
    Task<NetResult<std::string_view>> read_body(Duration timeout);
    Task<NetResult<bool>> pour(BodySink& sink, Duration timeout);
    std::optional<std::string_view> body_now();
    void close() noexcept;
    void cancel() noexcept;

    /// Whether the answer was read to its end, and the connection can carry another request.
    [[nodiscard]] bool reusable() const noexcept;
    /// Call on return to the pool: watches for the peer's close or `idle_timeout`, and informs the pool.
    void park(Duration idle_timeout);
    void unpark() noexcept;

    [[nodiscard]] Stream& stream() noexcept { return stream_; }
    [[nodiscard]] bool reused() const noexcept { return reused_; }

private:
    void start_read();
    void begin_wait(Duration timeout);
    std::span<char> read_space() override;
    void unread() override;
    void did_read(const std::error_code& ec, std::size_t n) override;
    void expired();
    [[nodiscard]] bool stopped() const noexcept { return timed_out_ || cancelled_; }
    [[nodiscard]] bool wants_more(std::size_t before, Duration timeout);
    [[nodiscard]] NetError failure(const std::error_code& ec);
    NetResult<bool> parse_head(std::size_t size, bool head_request);
    std::string_view next_by_length();
    NetResult<std::string_view> next_by_chunks();
    /// The next piece or an error, if available; an empty piece is the end.
    std::optional<NetResult<std::string_view>> piece_now();
    /// Whether the close found while reading is the body's end.
    [[nodiscard]] bool ended_by_close();
    void pour_now();
    void pour_on() noexcept;

    // What every piece of a body uses comes first.
    Stream stream_;
    Buffer in_;
    TimerWheel& wheel_;
    BodySink* sink_ = nullptr;  // receives the body, until its end
    Duration pour_timeout_{};
    std::size_t used_ = 0;       // bytes of in_ that the last view covered
    std::size_t read_size_ = 0;  // adapts to the answers
    std::size_t most_read_ = 0;  // in one read of the present answer
    std::error_code read_error_;
    bool pouring_ = false;
    bool parked_ = false;
    bool timed_out_ = false;
    bool cancelled_ = false;
    bool sent_ = false;      // the whole request was sent
    bool answered_ = false;  // the answer's body was read to its end
    bool reused_ = false;
    std::uint64_t body_left_ = 0;
    ChunkedDecoder chunks_;
    std::optional<NetResult<bool>> poured_;  // what pour() will return

    Timeout timeout_;
    Event readable_;
    Loop& loop_;
    std::weak_ptr<Pool> pool_;
    std::size_t max_head_bytes_;
    std::string head_text_;  // the head's own bytes: its views hold while the body passes through in_
    ResponseHead head_;
    std::exception_ptr sink_failed_;
};

}  // namespace spillway::http
