// The client against a raw peer: answers of every framing, the pool, and what may go wrong.
#include "http/support.hpp"

namespace spillway::http::test {
namespace {

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

TEST_F(ClientTest, UsesAConnectionAgain) {
    loop.run([&]() -> asio::awaitable<void> {
        std::optional<Peer> peer;
        for (int i = 0; i < 5; ++i) {
            auto up = co_await origin.connect(false);
            EXPECT_TRUE(up);
            EXPECT_EQ(up->reused(), i > 0);
            if (!peer) peer.emplace(co_await listener.accept());
            EXPECT_TRUE(co_await ask(*up));
            EXPECT_TRUE((co_await peer->read_to("\r\n\r\n")).starts_with("GET / "));
            co_await peer->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-N: 7\r\n\r\nhi");
            const auto head = co_await up->read_head(5s);
            EXPECT_TRUE(head);
            EXPECT_EQ((*head)->status, 200U);
            EXPECT_EQ(co_await read_rest(*up), "hi");
            EXPECT_EQ((*head)->fields.get("x-n"), "7");
            up->done();
            EXPECT_EQ(origin.idle(), 1U);
        }
    });
}

TEST_F(ClientTest, SaysWhenNobodyListens) {
    const std::uint16_t port = listener.port();
    listener.acceptor.close();
    OriginOptions o = options();
    o.port = port;
    Origin gone(loop.io, o);
    loop.run([&]() -> asio::awaitable<void> {
        const auto up = co_await gone.connect(false);
        EXPECT_FALSE(up);
        EXPECT_EQ(up.error().kind, NetError::Kind::connect);
    });
}

}  // namespace
}  // namespace spillway::http::test
