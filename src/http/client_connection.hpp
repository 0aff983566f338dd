#pragma once
/// One connection of a client pool. Internal to the http room.
///
/// A read is always pending while a connection idles in its pool, so that a close by the peer is noticed at
/// once; the same read then receives the next answer, at no extra system call.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/buffer.hpp"
#include "http/client.hpp"
#include "http/event.hpp"
#include "http/parser.hpp"
#include "http/stream.hpp"
#include "http/timer_wheel.hpp"

namespace spillway::http {

class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
public:
    ClientConnection(asio::io_context& context, std::size_t max_head_bytes);

    asio::awaitable<NetResult<void>> send(std::span<const std::string_view> pieces, Duration timeout);
    asio::awaitable<NetResult<const ResponseHead*>> read_head(Duration timeout, bool head_request);
    asio::awaitable<NetResult<std::string_view>> read_body(Duration timeout);
    void close() noexcept;
    void cancel() noexcept;

    /// Was the answer read to its end, on a connection that may carry another request?
    [[nodiscard]] bool reusable() const noexcept;
    /// Into the pool: waits for the peer's close, `lost` then runs once (after `idle_timeout` as well).
    void park(Duration idle_timeout, std::function<void()> lost);
    void unpark() noexcept;

    [[nodiscard]] Stream& stream() noexcept { return stream_; }
    [[nodiscard]] bool reused() const noexcept { return reused_; }

private:
    void start_read();
    asio::awaitable<NetResult<void>> more(Duration timeout);
    [[nodiscard]] NetError failure(const boost::system::error_code& ec) const;
    std::string_view take_length();
    NetResult<std::string_view> take_chunked();

    asio::io_context& context_;
    std::size_t max_head_bytes_;
    Stream stream_;
    Timeout timeout_;
    Buffer in_;
    Event readable_;
    boost::system::error_code read_error_;
    ResponseHead head_;
    std::optional<Parser<false>> parser_;
    std::function<void()> lost_;
    std::uint64_t body_left_ = 0;
    std::size_t used_ = 0;  // bytes of in_ behind the view handed out last
    bool reading_ = false;
    bool timed_out_ = false;
    bool cancelled_ = false;
    bool answered_ = false;  // the answer's body is read to its end
    bool reused_ = false;
};

}  // namespace spillway::http
