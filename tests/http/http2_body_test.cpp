// HTTP/2: bodies that are read when the handler says so, and what a connection's may take.
#include "base/task.hpp"
#include "http/http2_fixture.hpp"

namespace spillway::http::test {
namespace {

class Http2Bodies : public Http2Test {
protected:
    Http2Bodies() { limits.memory = &memory; }
    void start() {
        server.emplace(loop.io, limits, [this](Exchange& x) { return handle(x); });
        server->hand_over_heads();
        ASSERT_TRUE(server->use_tls(certificate.cert(), certificate.key()));
        ASSERT_TRUE(server->listen(Listen{}));
    }
    Task<void> handle(Exchange& x) {
        if (x.request().target == "/no") {
            co_await x.respond(401, {}, "no");
            co_return;
        }
        const bool whole = co_await read_or_explain(x);
        if (!whole) co_return;
        read += 1;
        if (x.request().target == "/held") (void)co_await loop.until([&] { return go; });
        co_await x.respond(200, {}, std::to_string(x.body().size()));
    }
    MemoryBudget memory{64'000'000};
    int read = 0;
    bool go = false;
};

TEST_F(Http2Bodies, AHeadIsAnsweredWithoutItsBody) {
    start();
    with_client([&](const Client& peer) -> Task<void> {
        std::vector<std::int32_t> ids;
        for (int i = 0; i < 50; ++i) ids.push_back(peer->ask("POST", "/no", std::string(1'000'000, 'x')));
        for (const auto id : ids) {
            EXPECT_TRUE(co_await closed(peer, id));
            EXPECT_EQ(peer->answers[id].status, 401);
            EXPECT_EQ(peer->answers[id].error, NGHTTP2_NO_ERROR);
            EXPECT_LE(peer->answers[id].sent, 65'535U) << "no window was opened for it";
        }
        EXPECT_EQ(memory.used(), 0U);
        const auto good = peer->ask("POST", "/yes", std::string(4'000'000, 'x'));
        EXPECT_TRUE(co_await closed(peer, good));
        EXPECT_EQ(peer->answers[good].body, "4000000");
    });
    EXPECT_EQ(memory.used(), 0U);
}

TEST_F(Http2Bodies, AConnectionsBodiesWaitForEachOther) {
    limits.max_body_bytes = 4'000'000;
    limits.max_connection_body_bytes = 9'000'000;
    start();
    with_client([&](const Client& peer) -> Task<void> {
        std::vector<std::int32_t> ids;
        for (int i = 0; i < 12; ++i)
            ids.push_back(
                peer->ask("POST", "/held", std::string(4'000'000, 'x'), {{"content-length", "4000000"}}));
        EXPECT_TRUE(co_await loop.until([&] { return read == 2; }));
        co_await loop.sleep(100ms);
        EXPECT_EQ(read, 2);
        EXPECT_LE(memory.used(), 9'000'000U);
        const auto small = peer->ask("POST", "/yes", "small");
        EXPECT_TRUE(co_await closed(peer, small)) << "what needs no memory passes";
        go = true;
        for (const auto id : ids) {
            EXPECT_TRUE(co_await closed(peer, id)) << id;
            EXPECT_EQ(peer->answers[id].body, "4000000");
        }
    });
    EXPECT_EQ(memory.used(), 0U);
}

TEST_F(Http2Bodies, LimitsThatChangeHoldOnOpenConnections) {
    limits.max_body_bytes = 1'000'000;
    limits.max_connection_body_bytes = 1'000'000;
    start();
    with_client([&](const Client& peer) -> Task<void> {
        const Http2Client::Pairs length{{"content-length", "3000000"}};
        const auto before = peer->ask("POST", "/yes", std::string(3'000'000, 'x'), length);
        EXPECT_TRUE(co_await closed(peer, before));
        EXPECT_EQ(peer->answers[before].status, 413);
        limits.max_body_bytes = 4'000'000;
        server->use_limits(limits);
        const auto after = peer->ask("POST", "/yes", std::string(3'000'000, 'x'), length);
        EXPECT_TRUE(co_await closed(peer, after));
        EXPECT_EQ(peer->answers[after].body, "3000000");
    });
    EXPECT_EQ(memory.used(), 0U);
}

TEST_F(Http2Bodies, WhoWaitsTooLongIsToldToComeAgain) {
    limits.max_body_bytes = 4'000'000;
    limits.max_connection_body_bytes = 4'000'000;
    limits.body_timeout = 200ms;
    start();
    with_client([&](const Client& peer) -> Task<void> {
        const Http2Client::Pairs length{{"content-length", "4000000"}};
        const auto first = peer->ask("POST", "/held", std::string(4'000'000, 'x'), length);
        EXPECT_TRUE(co_await loop.until([&] { return read == 1; }));
        const auto second = peer->ask("POST", "/yes", std::string(4'000'000, 'x'), length);
        EXPECT_TRUE(co_await closed(peer, second));
        EXPECT_EQ(peer->answers[second].status, 503);
        EXPECT_EQ(peer->answers[second].body, "out_of_memory");
        go = true;
        EXPECT_TRUE(co_await closed(peer, first));
        EXPECT_EQ(peer->answers[first].status, 200);
    });
}

// Then the socket has no news any more that would say so.
TEST_F(Http2Bodies, ADepartureThatComesWithTheLastBytesIsNoticed) {
    start();
    with_client([&](const Client& peer) -> Task<void> {
        const auto first = peer->ask("POST", "/yes", "x");
        EXPECT_TRUE(co_await closed(peer, first));
        co_await loop.sleep(10ms);  // nothing is to be written any more: that would show it as well
        (void)peer->ask("POST", "/yes", std::string(100, 'x'), {{"content-length", "1000"}}, false);
        // It leaves in the same turn.
    });
}

TEST_F(Http2Bodies, TheProcessMayHaveNoMemory) {
    memory.use_limit(1'000'000);
    start();
    with_client([&](const Client& peer) -> Task<void> {
        const auto told =
            peer->ask("POST", "/yes", std::string(2'000'000, 'x'), {{"content-length", "2000000"}});
        const auto untold = peer->ask("POST", "/yes", std::string(2'000'000, 'x'));
        for (const auto id : {told, untold}) {
            EXPECT_TRUE(co_await closed(peer, id));
            EXPECT_EQ(peer->answers[id].status, 503);
        }
        EXPECT_LE(peer->answers[told].sent, 65'535U);
    });
    EXPECT_EQ(memory.used(), 0U);
}

TEST_F(Http2Bodies, ATrickleEnds) {
    limits.body_timeout = 100ms;
    limits.body_rate = 1'000'000;
    start();
    with_client([&](const Client& peer) -> Task<void> {
        const auto id = peer->ask("POST", "/yes", std::string(10'000, 'x'), {}, false);
        EXPECT_TRUE(co_await closed(peer, id));
        EXPECT_EQ(peer->answers[id].status, 408);
        EXPECT_EQ(memory.used(), 0U);
    });
}

TEST_F(Http2Bodies, ADepartureWithinABodyFreesItsMemory) {
    start();
    loop.run([&]() -> Task<void> {
        Client peer = co_await client();
        const auto cancelled = peer->ask("POST", "/yes", std::string(10'000, 'x'), {}, false);
        (void)peer->ask("POST", "/yes", std::string(10'000, 'x'), {}, false);
        EXPECT_TRUE(co_await loop.until([&] { return memory.used() >= 20'000; }));
        const std::size_t both = memory.used();
        peer->reset(cancelled);
        EXPECT_TRUE(co_await loop.until([&] { return memory.used() < both && memory.used() >= 10'000; }));
        peer->close();
        EXPECT_TRUE(co_await loop.until([&] { return memory.used() == 0 && server->connections() == 0; }));
    });
}

}  // namespace
}  // namespace spillway::http::test
