#pragma once
// A client's Origin and the raw peer it talks to.
#include "base/loop.hpp"
#include "base/task.hpp"
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
    static Task<bool> ask(Upstream& up, std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n") {
        const auto sent = co_await up.send(std::span(&request, 1), 5s);
        co_return sent.has_value();
    }
    /// The message that the peer gets when `pieces` are sent.
    Task<std::string> received(Upstream& up, Peer& peer, std::span<const std::string_view> pieces) {
        bool sent = false;
        const auto send = [&]() -> Task<void> { sent = (co_await up.send(pieces, 5s)).has_value(); };
        loop.io.spawn(send());
        std::string got = co_await peer.read_message();
        EXPECT_TRUE(co_await loop.until([&] { return sent; }));
        co_return got;
    }
    static Task<std::string> read_rest(Upstream& up) {
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
