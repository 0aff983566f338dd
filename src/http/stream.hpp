#pragma once
/// A TCP or TLS byte stream behind one type, so that what reads and writes HTTP is not a template.
/// Asynchronous operations start the right one and pass the token on: no extra coroutine frame.
/// Ownership: owns its socket. Thread rule: its executor's thread.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <memory>

namespace spillway::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

class Stream {
public:
    using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
    using Tls = asio::ssl::stream<Socket&>;

    explicit Stream(Socket socket) : socket_(std::make_unique<Socket>(std::move(socket))) {}

    /// Puts TLS on top; the handshake is the caller's.
    Tls& wrap(asio::ssl::context& context) {
        tls_ = std::make_unique<Tls>(*socket_, context);
        return *tls_;
    }
    [[nodiscard]] Socket& socket() noexcept { return *socket_; }
    [[nodiscard]] Tls* tls() noexcept { return tls_.get(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this](auto&& handler, const Buffers& b) {
                using H = std::decay_t<decltype(handler)>;
                if (tls_)
                    tls_->async_read_some(b, H(std::forward<decltype(handler)>(handler)));
                else
                    socket_->async_read_some(b, H(std::forward<decltype(handler)>(handler)));
            },
            token, buffers);
    }
    template <class Buffers, class Token>
    auto async_write(const Buffers& buffers, Token&& token) {
        return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this](auto&& handler, const Buffers& b) {
                using H = std::decay_t<decltype(handler)>;
                if (tls_)
                    asio::async_write(*tls_, b, H(std::forward<decltype(handler)>(handler)));
                else
                    asio::async_write(*socket_, b, H(std::forward<decltype(handler)>(handler)));
            },
            token, buffers);
    }
    /// Ends all pending operations with an error; safe to repeat.
    void close() noexcept {
        boost::system::error_code ignored;
        socket_->shutdown(tcp::socket::shutdown_both, ignored);
        socket_->close(ignored);
    }

private:
    std::unique_ptr<Socket> socket_;
    std::unique_ptr<Tls> tls_;
};

}  // namespace spillway::http
