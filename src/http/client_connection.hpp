#pragma once
/// One connection of a client pool. Internal to the http room.
///
/// A read is always pending while a connection idles in its pool, so that a close by the peer is noticed at
/// once; the same read then receives the next answer, at no extra system call.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/prefetch.hpp"
#include "http/buffer.hpp"
#include "http/client.hpp"
#include "http/event.hpp"
#include "http/parser.hpp"
#include "http/stream.hpp"
#include "http/timer_wheel.hpp"

namespace spillway::http {

class ClientConnection;

/// Where idle connections wait.
class Pool {
public:
    Pool() = default;
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    virtual ~Pool() = default;
    /// A parked connection is of no more use: closed by the peer, unsolicited bytes, or idle for too long.
    virtual void lost(ClientConnection& connection) noexcept = 0;
};

class ClientConnection final : public std::enable_shared_from_this<ClientConnection>, private StreamUser {
public:
    ClientConnection(asio::io_context& context, std::weak_ptr<Pool> pool, std::size_t max_head_bytes);

    asio::awaitable<NetResult<void>> send(std::span<const std::string_view> pieces, Duration timeout);
    bool send_now(std::span<std::string_view> pieces);
    asio::awaitable<NetResult<const ResponseHead*>> read_head(Duration timeout, bool head_request);
    asio::awaitable<NetResult<std::string_view>> read_body(Duration timeout);
    asio::awaitable<NetResult<bool>> pour(BodySink& sink, Duration timeout);
    std::optional<std::string_view> body_now();
    void close() noexcept;
    void cancel() noexcept;

    /// Was the answer read to its end, on a connection that may carry another request?
    [[nodiscard]] bool reusable() const noexcept;
    /// Into the pool: waits for the peer's close; the pool hears of it, or of the end of `idle_timeout`.
    void park(Duration idle_timeout);
    void unpark() noexcept;

    // While the connection is made:
    /// Closes after `timeout`; a time-out and cancel() set `wake`, too, until finish_connect().
    void begin_connect(Duration timeout, Event& wake);
    void finish_connect() noexcept;
    /// Did the time pass, or was it cancelled?
    [[nodiscard]] bool stopped() const noexcept { return timed_out_ || cancelled_; }
    /// Why it is of no use: stopped(), or else `kind` with this message.
    [[nodiscard]] NetError failure(NetError::Kind kind, std::string message) const;

    /// Asks for the memory that a request and its answer use.
    void prefetch() const noexcept { prefetch_for_write(this, &parser_); }

    [[nodiscard]] Stream& stream() noexcept { return stream_; }
    [[nodiscard]] bool reused() const noexcept { return reused_; }

private:
    void start_read();
    void begin_wait(Duration timeout);
    std::span<char> read_space() override;
    void unread() override;
    void did_read(const boost::system::error_code& ec, std::size_t n) override;
    void abandon() override { readable_.abandon(); }
    std::shared_ptr<StreamUser> self() override;
    void expired();
    [[nodiscard]] bool wants_more(std::size_t before, Duration timeout);
    [[nodiscard]] NetError failure(const boost::system::error_code& ec) const;
    NetResult<bool> take_head(std::size_t size, bool head_request);
    std::string_view take_length();
    NetResult<std::string_view> take_chunked();
    /// The next piece or an error, if either is there; an empty piece is the end.
    std::optional<NetResult<std::string_view>> piece_now();
    /// Was the close that the reading met with the body's end?
    [[nodiscard]] bool ended_by_close();
    void pour_now();
    void pour_on() noexcept;

    asio::io_context& context_;
    TimerWheel& wheel_;
    std::weak_ptr<Pool> pool_;
    std::size_t max_head_bytes_;
    Stream stream_;
    Timeout timeout_;
    Buffer in_;
    Event readable_;
    Event* wake_ = nullptr;
    boost::system::error_code read_error_;
    std::string head_text_;  // the head's own bytes: its views hold while the body passes through in_
    ResponseHead head_;
    std::optional<Parser<false>> parser_;
    BodySink* sink_ = nullptr;               // who takes the body, as long as it comes
    std::optional<NetResult<bool>> poured_;  // what pour() is to return
    std::exception_ptr sink_failed_;
    Duration pour_timeout_{};
    std::uint64_t body_left_ = 0;
    std::size_t used_ = 0;       // bytes of in_ behind the view handed out last
    std::size_t read_size_ = 0;  // goes with the answers
    std::size_t most_read_ = 0;  // at once, of the answer under way
    bool pouring_ = false;
    bool parked_ = false;
    bool timed_out_ = false;
    bool cancelled_ = false;
    bool sent_ = false;      // the request went out whole
    bool answered_ = false;  // the answer's body is read to its end
    bool reused_ = false;
};

}  // namespace spillway::http
