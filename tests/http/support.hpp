#pragma once
// Sockets on loopback for the tests of the http room: an event loop with a deadline, and a peer that sends
// and reads raw bytes.
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "http/client.hpp"
#include "http/server.hpp"

namespace spillway::http::test {

using namespace std::chrono_literals;
using tcp = asio::ip::tcp;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

/// Runs coroutines to their end; a test that hangs fails after `limit`.
class Loop {
public:
    asio::io_context io{1};

    template <class Coroutine>
    void run(Coroutine&& coroutine, std::chrono::seconds limit = 20s) {
        bool done = false;
        std::exception_ptr failure;
        asio::co_spawn(io, coroutine(), [&](const std::exception_ptr& e) {
            failure = e;
            done = true;
            io.stop();
        });
        io.restart();
        io.run_for(limit);
        ASSERT_TRUE(done) << "the test hangs";
        if (failure) std::rethrow_exception(failure);
    }
    /// Lets things happen until `condition` holds, for 5 s at most.
    template <class Condition>
    asio::awaitable<bool> until(Condition condition) {
        asio::steady_timer timer(io);
        const auto deadline = std::chrono::steady_clock::now() + 5s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) co_return false;
            timer.expires_after(1ms);
            (void)co_await timer.async_wait(as_values);
        }
        co_return true;
    }
    asio::awaitable<void> sleep(Duration time) {
        asio::steady_timer timer(io, time);
        (void)co_await timer.async_wait(as_values);
    }
};

/// One end of a connection, byte by byte.
class Peer {
public:
    explicit Peer(asio::io_context& io) : socket(io) {}
    explicit Peer(tcp::socket s) : socket(std::move(s)) {}

    asio::awaitable<void> connect(std::uint16_t port) {
        const auto [ec] =
            co_await socket.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), port), as_values);
        EXPECT_FALSE(ec) << ec.message();
    }
    asio::awaitable<bool> send(std::string_view bytes) {
        const auto [ec, n] = co_await asio::async_write(socket, asio::buffer(bytes), as_values);
        co_return !ec && n == bytes.size();
    }
    /// Everything up to and with the `count`th `mark`; less if the other end closes before.
    asio::awaitable<std::string> read_to(std::string_view mark, int count = 1) {
        std::size_t from = 0;
        for (;;) {
            const auto at = kept.find(mark, from);
            if (at != std::string::npos) {
                from = at + mark.size();
                if (--count == 0) {
                    const std::string head = kept.substr(0, from);
                    kept.erase(0, from);
                    co_return head;
                }
                continue;
            }
            if (!co_await read_some()) co_return std::exchange(kept, {});
        }
    }
    /// Head and body of one answer or request with a Content-Length.
    asio::awaitable<std::string> read_message() {
        std::string message = co_await read_to("\r\n\r\n");
        const auto at = message.find("Content-Length: ");
        std::size_t length = at == std::string::npos ? 0 : std::stoul(message.substr(at + 16));
        while (kept.size() < length)
            if (!co_await read_some()) break;
        length = std::min(length, kept.size());
        message += kept.substr(0, length);
        kept.erase(0, length);
        co_return message;
    }
    asio::awaitable<std::string> read_all() {
        bool more = true;
        while (more) more = co_await read_some();
        co_return std::exchange(kept, {});
    }
    asio::awaitable<bool> read_some() {
        char piece[16384];
        const auto [ec, n] = co_await socket.async_read_some(asio::buffer(piece), as_values);
        kept.append(piece, n);
        last_error = ec;
        co_return !ec;
    }
    void half_close() {
        boost::system::error_code ignored;
        socket.shutdown(tcp::socket::shutdown_send, ignored);
    }
    void close() {
        boost::system::error_code ignored;
        socket.close(ignored);
    }
    void reset() {
        socket.set_option(asio::socket_base::linger(true, 0));
        close();
    }

    tcp::socket socket;
    std::string kept;
    boost::system::error_code last_error;
};

/// A raw server on a free port.
class Listener {
public:
    explicit Listener(asio::io_context& io)
        : acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          port_(acceptor.local_endpoint().port()) {}
    [[nodiscard]] std::uint16_t port() const { return port_; }
    asio::awaitable<Peer> accept() { co_return Peer(co_await acceptor.async_accept(asio::use_awaitable)); }
    tcp::acceptor acceptor;

private:
    std::uint16_t port_;
};

inline std::string get(std::string_view path, std::string_view more = {}) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n";
}
inline int status_of(std::string_view answer) {
    return answer.size() < 12 || !answer.starts_with("HTTP/1.1 ")
               ? 0
               : std::stoi(std::string(answer.substr(9, 3)));
}
inline std::string body_of(std::string_view answer) {
    const auto at = answer.find("\r\n\r\n");
    return at == std::string_view::npos ? "" : std::string(answer.substr(at + 4));
}
inline std::size_t count_of(std::string_view text, std::string_view what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++n;
    return n;
}

}  // namespace spillway::http::test
