#pragma once
/// A TCP or TLS byte stream of Asio's behind one type, so that what uses it is not a template.
/// Asynchronous operations start the right one and pass the token on: no extra coroutine frame.
/// Ownership: owns its socket. Thread rule: its executor's thread; one read and one write at a time.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <span>

namespace spillway::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

class AsioStream {
public:
    using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
    using Tls = asio::ssl::stream<Socket&>;
    /// The buffers of one gathered write; what they are in lives until it ends.
    using Buffers = std::span<const asio::const_buffer>;
    static constexpr std::size_t largest_write = 256 * 1024;

    explicit AsioStream(Socket socket) : socket_(std::make_unique<Socket>(std::move(socket))) {}

    /// Puts TLS on top; the handshake is the caller's.
    Tls& wrap(asio::ssl::context& context) {
        tls_ = std::make_unique<Tls>(*socket_, context);
        return *tls_;
    }
    [[nodiscard]] Socket& socket() noexcept { return *socket_; }
    [[nodiscard]] Tls* tls() noexcept { return tls_.get(); }

    /// Completes with (error_code, bytes read).
    template <class Token>
    auto async_read_some(asio::mutable_buffer space, Token&& token) {
        return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this](auto&& handler, asio::mutable_buffer b) {
                using H = std::decay_t<decltype(handler)>;
                if (tls_)
                    tls_->async_read_some(b, H(std::forward<decltype(handler)>(handler)));
                else
                    socket_->async_read_some(b, H(std::forward<decltype(handler)>(handler)));
            },
            token, space);
    }
    /// Writes all and completes with (error_code, bytes written); calls `progress` whenever some went out.
    template <class Progress, class Token>
    auto async_write(Buffers buffers, Progress progress, Token&& token) {
        const auto condition = [progress](const boost::system::error_code& ec, std::size_t n) -> std::size_t {
            if (ec) return 0;
            if (n > 0) progress();
            return largest_write;
        };
        return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this](auto&& handler, Buffers b, auto c) {
                using H = std::decay_t<decltype(handler)>;
                if (tls_)
                    asio::async_write(*tls_, b, c, H(std::forward<decltype(handler)>(handler)));
                else
                    asio::async_write(*socket_, b, c, H(std::forward<decltype(handler)>(handler)));
            },
            token, buffers, condition);
    }
    /// Ends all pending operations with an error; safe to repeat.
    void close() noexcept {
        boost::system::error_code ignored;
        socket_->shutdown(tcp::socket::shutdown_both, ignored);
        socket_->close(ignored);
    }
    /// As close(), but the peer sees a reset, so that it cannot take the cut for a proper end.
    void reset() noexcept {
        boost::system::error_code ignored;
        socket_->set_option(asio::socket_base::linger(true, 0), ignored);
        socket_->close(ignored);
    }

private:
    std::unique_ptr<Socket> socket_;
    std::unique_ptr<Tls> tls_;
};

}  // namespace spillway::http
