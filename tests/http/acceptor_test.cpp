// Who may listen where.
#include "http/acceptor.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "http/fetch.hpp"
#include "http/support.hpp"

namespace spillway::http::test {
namespace {

TEST(OpenListeners, ShareAPortAmongThemselvesAndWithNobodyElse) {
    const auto mine = open_listeners({"127.0.0.1", 0}, 3);
    ASSERT_TRUE(mine) << mine.error().message;
    ASSERT_EQ(mine->size(), 3U);
    const auto at = listens_at(mine->front().get());
    ASSERT_TRUE(at);
    for (const FileDescriptor& socket : *mine) EXPECT_EQ(listens_at(socket.get()), at);
    const auto second = open_listeners({"127.0.0.1", at->port()}, 1);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("in use"), std::string::npos);
    EXPECT_FALSE(open_listeners({"0.0.0.0", at->port()}, 1));
    EXPECT_EQ(probe({"127.0.0.1", at->port()}), std::errc::address_in_use);
}

TEST(OpenListeners, OfManyAtTheSameTimeOneWins) {
    for (int round = 0; round < 50; ++round) {
        std::uint16_t port = 0;
        {
            const auto free = open_listeners({"127.0.0.1", 0}, 1);
            ASSERT_TRUE(free);
            port = listens_at(free->front().get())->port();
        }
        std::atomic<int> won = 0;
        std::atomic<int> tried = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                const auto sockets = open_listeners({"127.0.0.1", port}, 2);
                won += sockets.has_value() ? 1 : 0;
                ++tried;
                while (tried < 4) std::this_thread::yield();
            });
        for (std::thread& thread : threads) thread.join();
        EXPECT_EQ(won, 1);
    }
}

TEST(ListensAt, KnowsWhatDoesNot) {
    EXPECT_FALSE(listens_at(0));
    std::error_code ec;
    const FileDescriptor idle = make_socket(*Endpoint::parse("127.0.0.1", 0), ec);
    EXPECT_FALSE(listens_at(idle.get()));
}

TEST(ServerListen, TakesWhatWaitsBeforeItCloses) {
    Loop loop;
    Server server(loop.io, {}, [](Exchange& x) -> Task<void> { (void)co_await x.respond(200, {}, "here"); });
    auto sockets = open_listeners({"127.0.0.1", 0}, 2);
    ASSERT_TRUE(sockets);
    const std::uint16_t port = listens_at(sockets->front().get())->port();
    for (FileDescriptor& socket : *sockets) ASSERT_TRUE(server.listen(std::move(socket)));
    EXPECT_EQ(server.port(), port);
    server.announce_end();
    OriginOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    Origin origin(loop.io, options);
    loop.run([&]() -> Task<void> {
        const auto answer = co_await fetch(origin, "GET", "/", {}, {}, 5s);
        EXPECT_TRUE(answer);
        if (answer) {
            EXPECT_EQ(answer->body, "here");
        }
        EXPECT_EQ(origin.idle(), 0U) << "the answer was said to be the last";
        server.drain();
        const auto refused = co_await fetch(origin, "GET", "/", {}, {}, 5s);
        EXPECT_FALSE(refused);
    });
}

}  // namespace
}  // namespace spillway::http::test
