#pragma once
// A server with a handler and limits of the test's choice, and raw clients of it.
#include "base/task.hpp"
#include "http/support.hpp"

namespace spillway::http::test {

class ServerFixture : public ::testing::Test {
protected:
    void listen(Handler handler) {
        server.emplace(loop.io, limits, std::move(handler));
        ASSERT_TRUE(server->listen(Listen{}));
    }
    static Task<void> hello(Exchange& x) { co_await x.respond(200, {}, "hello"); }
    Task<Peer> client() {
        Peer peer(loop.io);
        co_await peer.connect(server->port());
        co_return peer;
    }
    /// Sends `bytes` and reads until the server closes.
    std::string exchange(std::string bytes) {
        std::string received;
        loop.run([&]() -> Task<void> {
            Peer peer = co_await client();
            co_await peer.send(bytes);
            received = co_await peer.read_all();
        });
        return received;
    }
    Loop loop;
    ServerLimits limits;
    std::optional<Server> server;
};

class LimitsTest : public ServerFixture {
protected:
    LimitsTest() {
        limits.max_head_bytes = 2000;
        limits.max_body_bytes = 10'000;
    }
};

}  // namespace spillway::http::test
