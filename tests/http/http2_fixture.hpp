#pragma once
// A server of HTTP/2 and clients for it.
#include "base/task.hpp"
#include "http/certificate.hpp"
#include "http/http2_client.hpp"

namespace spillway::http::test {

using Client = std::shared_ptr<Http2Client>;

class Http2Test : public ::testing::Test {
protected:
    void listen(Handler handler) {
        server.emplace(loop.io, limits, std::move(handler));
        ASSERT_TRUE(server->use_tls(certificate.cert(), certificate.key()));
        ASSERT_TRUE(server->listen(Listen{}));
    }
    static Task<void> echo(Exchange& x) { co_await x.respond(200, {}, x.body()); }
    Task<Client> client(bool opens_windows = true) {
        auto made = std::make_shared<Http2Client>(loop.io, opens_windows);
        const std::string agreed = co_await made->connect(server->port());
        EXPECT_EQ(agreed, "h2");
        made->begin();
        co_return made;
    }
    Task<bool> closed(Client peer, std::int32_t id) {
        const Http2Answer& answer = peer->answers[id];
        const bool over = co_await loop.until([&answer] { return answer.closed; });
        co_return over;
    }
    /// Runs `script` with a client, and sees that the server is rid of it afterwards.
    template <class Script>
    void with_client(Script script, bool opens_windows = true) {
        loop.run([&]() -> Task<void> {
            Client peer = co_await client(opens_windows);
            co_await script(peer);
            peer->close();
            const bool left = co_await loop.until([this] { return server->connections() == 0; });
            EXPECT_TRUE(left);
        });
    }
    Loop loop;
    Certificate certificate{"gateway.test"};
    ServerLimits limits;
    std::optional<Server> server;
};

}  // namespace spillway::http::test
