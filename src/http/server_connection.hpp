#pragma once
/// One client connection of a Server. Internal to the http room.
///
/// There is always a read pending while a handler works: it is the read of the next request, and it tells
/// at once when the client leaves. So a departure costs no extra system call to notice.
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/container/small_vector.hpp>

#include "http/buffer.hpp"
#include "http/event.hpp"
#include "http/parser.hpp"
#include "http/server.hpp"
#include "http/stream.hpp"
#include "http/timer_wheel.hpp"

namespace spillway::http {

class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
public:
    ServerConnection(Stream stream, asio::io_context& context, const ServerLimits& limits,
                     const Handler& handler, std::string peer);

    asio::awaitable<void> run(std::shared_ptr<asio::ssl::context> tls);
    /// Closes now if idle; after the answer otherwise.
    void drain();
    void close() { stream_.close(); }

private:
    friend class Exchange;
    using Buffers = boost::container::small_vector<asio::const_buffer, 12>;
    enum class Read : std::uint8_t { request, closed, refused };

    asio::awaitable<Read> read_request();
    asio::awaitable<Read> read_length_body(std::size_t head_size);
    asio::awaitable<Read> read_chunked_body(Parser<true>& parser, std::size_t head_size);
    asio::awaitable<bool> more(Duration timeout);
    asio::awaitable<Read> refuse(unsigned status, std::string_view message, std::string_view code);
    asio::awaitable<bool> send_continue();
    [[nodiscard]] bool check_head();
    void take_request(std::size_t bytes);
    void start_read();
    asio::awaitable<bool> send(const Buffers& buffers);
    void begin_head(unsigned status, std::optional<std::uint64_t> content_length);
    asio::awaitable<bool> write_pieces(std::span<const std::string_view> pieces, bool last);
    void left();

    Stream stream_;
    asio::io_context& context_;
    const ServerLimits& limits_;
    const Handler& handler_;
    std::string peer_;
    Timeout timeout_;

    Buffer in_;       // what is being read
    Buffer request_;  // the request the handler works on
    Buffer decoded_;  // its body, when it came chunked
    Event readable_;
    bool reading_ = false;
    bool eof_ = false;

    RequestHead head_;
    std::string_view body_;
    Mono received_at_{};

    std::string out_head_;
    std::array<char, 20> chunk_line_{};
    std::uint64_t sent_ = 0;
    std::uint64_t body_left_ = 0;
    bool head_due_ = false;
    bool started_ = false;
    bool finished_ = false;
    bool chunked_ = false;
    bool close_after_ = false;
    bool busy_ = false;
    bool gone_ = false;
    bool draining_ = false;
    bool timed_out_ = false;
    std::function<void()> on_gone_;
};

}  // namespace spillway::http
