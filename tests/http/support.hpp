#pragma once
// Sockets on loopback for the tests of the http room: an event loop with a deadline, and a peer that sends
// and reads raw bytes.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/byte_stream.hpp"
#include "http/client.hpp"
#include "http/server.hpp"

namespace spillway::http::test {

using namespace std::chrono_literals;

/// Runs coroutines to their end; a test that hangs fails after `limit`.
class Loop {
public:
    spillway::Loop io;

    template <class Coroutine>
    void run(Coroutine&& coroutine, std::chrono::seconds limit = 20s) {
        bool done = false;
        std::exception_ptr failure;
        io.spawn(coroutine(), [&](const std::exception_ptr& e) {
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
    Task<bool> until(Condition condition) {
        Timer timer(io);
        const auto deadline = mono_now() + 5s;
        while (!condition()) {
            if (mono_now() > deadline) co_return false;
            (void)co_await timer.sleep_for(1ms);
        }
        co_return true;
    }
    Task<void> sleep(Duration time) {
        Timer timer(io);
        (void)co_await timer.sleep_for(time);
    }
};

/// One end of a connection, byte by byte.
class Peer {
public:
    explicit Peer(spillway::Loop& io) : loop_(&io), stream(std::make_unique<ByteStream>(io)) {}
    Peer(spillway::Loop& io, FileDescriptor socket) : Peer(io) {
        EXPECT_FALSE(stream->open(std::make_unique<PlainTransport>(std::move(socket))));
    }

    Task<void> connect(std::uint16_t port) {
        const std::error_code ec = co_await try_connect(port);
        EXPECT_FALSE(ec) << ec.message();
    }
    Task<std::error_code> try_connect(std::uint16_t port) {
        DialOptions to;
        to.host = "127.0.0.1";
        to.port = port;
        Dialer dialer(*loop_, to);
        Dial dial;
        auto made = co_await dialer.connect(dial);
        if (!made) co_return std::make_error_code(std::errc::connection_refused);
        co_return stream->open(std::move(*made));
    }
    Task<bool> send(std::string_view bytes) {
        const std::error_code ec = co_await stream->write(bytes);
        co_return !ec;
    }
    /// Everything up to and with the `count`th `mark`; less if the other end closes before.
    Task<std::string> read_to(std::string_view mark, int count = 1) {
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
            const bool more = co_await read_some();
            if (!more) co_return std::exchange(kept, {});
        }
    }
    /// Head and body of one answer or request with a Content-Length.
    Task<std::string> read_message() {
        std::string message = co_await read_to("\r\n\r\n");
        const auto at = message.find("Content-Length: ");
        std::size_t length = at == std::string::npos ? 0 : std::stoul(message.substr(at + 16));
        while (kept.size() < length) {
            const bool more = co_await read_some();
            if (!more) break;
        }
        length = std::min(length, kept.size());
        message += kept.substr(0, length);
        kept.erase(0, length);
        co_return message;
    }
    Task<std::string> read_all() {
        bool more = true;
        while (more) more = co_await read_some();
        co_return std::exchange(kept, {});
    }
    Task<bool> read_some() {
        char piece[16384];
        const auto [ec, n] = co_await stream->read_some(piece);
        kept.append(piece, n);
        last_error = ec;
        co_return !ec;
    }
    void half_close() { stream->end_writing(); }
    void close() { stream->close(); }
    void reset() { stream->reset(); }

private:
    spillway::Loop* loop_;

public:
    std::unique_ptr<ByteStream> stream;
    std::string kept;
    std::error_code last_error;
};

/// A raw server on a free port.
class Listener {
public:
    explicit Listener(spillway::Loop& io) : acceptor(io), loop_(io) {
        EXPECT_TRUE(acceptor.listen({.host = "127.0.0.1", .port = 0}));
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor.port(); }
    Task<Peer> accept() {
        auto accepted = co_await acceptor.accept();
        EXPECT_FALSE(accepted.ec);
        co_return Peer(loop_, std::move(accepted.socket));
    }
    Acceptor acceptor;

private:
    spillway::Loop& loop_;
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

/// Reads the body if one is due. False: it could not be read, and the client was told why.
inline Task<bool> read_or_explain(Exchange& x) {
    BodyFault fault = BodyFault::none;
    if (x.body_due()) fault = co_await x.read_body();
    if (fault == BodyFault::none) co_return true;
    if (fault != BodyFault::gone) co_await x.respond(explain(fault).status, {}, explain(fault).code);
    co_return false;
}

}  // namespace spillway::http::test
