#pragma once
// A client's Origin and the raw peer it talks to.
#include "http/support.hpp"

namespace spillway::http::test {

class ClientTest : public ::testing::Test {
protected:
    ClientTest() : listener(loop.io), origin(loop.io, options()) {}
    [[nodiscard]] OriginOptions options() const {
        OriginOptions o;
        o.host = "127.0.0.1";
        o.port = listener.port();
        return o;
    }
    static asio::awaitable<bool> ask(Upstream& up,
                                     std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n") {
        const auto sent = co_await up.send(std::span(&request, 1), 5s);
        co_return sent.has_value();
    }
    static asio::awaitable<std::string> read_rest(Upstream& up) {
        std::string body;
        for (;;) {
            const auto piece = co_await up.read_body(5s);
            EXPECT_TRUE(piece) << piece.error().message;
            if (!piece || piece->empty()) co_return body;
            body.append(*piece);
        }
    }
    Loop loop;
    Listener listener;
    Origin origin;
};

}  // namespace spillway::http::test
