// Clients that leave, dawdle, or send the next request while an answer is on its way.
#include <fstream>

#include "base/task.hpp"
#include "http/server_fixture.hpp"

namespace spillway::http::test {
namespace {

using DepartureTest = LimitsTest;

/// Streams until a write fails, and notes what it learns of its client.
struct Streamer {
    Loop& loop;
    std::size_t piece = 100;
    Duration pause = 1ms;
    bool gone = false;
    bool write_failed = false;
    std::uint64_t sent = 0;
    Mono gone_at{};

    Task<void> operator()(Exchange& x) {
        x.on_gone([this] {
            gone = true;
            gone_at = mono_now();
        });
        x.start(200, "", std::nullopt);
        const std::string bytes(piece, 'x');
        bool ok = true;
        while (ok) {
            ok = co_await x.write(bytes);
            sent = x.bytes_sent();
            if (ok && pause > Duration::zero()) co_await loop.sleep(pause);
        }
        write_failed = true;
        EXPECT_TRUE(x.client_gone());
    }
};

TEST_F(DepartureTest, ADepartureIsNoticedAtOnce) {
    for (int how = 0; how < 3; ++how) {
        Streamer streamer{loop};
        listen([&](Exchange& x) { return streamer(x); });
        loop.run([&]() -> Task<void> {
            Peer peer = co_await client();
            co_await peer.send(get("/"));
            (void)co_await peer.read_to("xxx");
            const Mono left_at = mono_now();
            if (how == 0) peer.close();
            if (how == 1) peer.reset();
            if (how == 2) peer.half_close();
            EXPECT_TRUE(co_await loop.until([&] { return streamer.write_failed; }));
            EXPECT_TRUE(streamer.gone);
            EXPECT_LT(streamer.gone_at - left_at, Duration(200ms));
            EXPECT_TRUE(co_await loop.until([&] { return server->connections() == 0; }));
        });
    }
}

TEST_F(DepartureTest, ADepartureIsNoticedBehindAPipelinedRequest) {
    Streamer streamer{loop};
    listen([&](Exchange& x) { return streamer(x); });
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(get("/"));
        (void)co_await peer.read_to("xxx");
        co_await peer.send(get("/next"));
        (void)co_await peer.read_to("xxx", 50);
        peer.reset();
        EXPECT_TRUE(co_await loop.until([&] { return streamer.gone && streamer.write_failed; }));
    });
}

TEST_F(DepartureTest, ADepartureIsNoticedWhileNothingIsWritten) {
    bool gone = false;
    bool late = false;
    listen([&](Exchange& x) -> Task<void> {
        x.on_gone([&] { gone = true; });
        (void)co_await loop.until([&] { return gone; });
        x.on_gone([&] { late = true; });  // already left: at once
        EXPECT_TRUE(late);
        EXPECT_FALSE(x.started());
    });
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(get("/"));
        co_await loop.sleep(5ms);
        peer.close();
        EXPECT_TRUE(co_await loop.until([&] { return late; }));
    });
}

TEST_F(DepartureTest, AWholeAnswerReachesWhoHalfClosed) {
    listen([&](Exchange& x) -> Task<void> {
        co_await loop.until([&] { return x.client_gone(); });
        EXPECT_TRUE(co_await x.respond(200, {}, "hello"));
    });
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(get("/"));
        peer.half_close();
        EXPECT_EQ(body_of(co_await peer.read_all()), "hello");
    });
}

TEST_F(DepartureTest, APipelinedRequestSentDuringAStreamIsAnsweredAfterIt) {
    bool go = false;
    listen([&](Exchange& x) -> Task<void> {
        if (x.request().target != "/stream") {
            std::string body(x.request().target);
            body.append(" ").append(x.body()).append(" ").append(x.request().fields.get("x-n"));
            co_await x.respond(200, {}, body);
            co_return;
        }
        x.start(200, "", std::nullopt);
        co_await x.write("begun");
        co_await loop.until([&] { return go; });
        co_await x.finish("done");
    });
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(get("/stream"));
        (void)co_await peer.read_to("begun");
        co_await peer.send("POST /a HTTP/1.1\r\nHost: x\r\nX-N: 1\r\nContent-Length: 3\r\n\r\nabc");
        co_await loop.sleep(5ms);
        co_await peer.send(
            "POST /b HTTP/1.1\r\nHost: x\r\nX-N: 2\r\nTransfer-Encoding: "
            "chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n");
        co_await loop.sleep(5ms);
        const std::string large(9000, 'l');
        co_await peer.send("POST /c HTTP/1.1\r\nHost: x\r\nX-N: 3\r\nContent-Length: 9000\r\n\r\n" +
                           large.substr(0, 4000));
        co_await loop.sleep(5ms);
        go = true;
        (void)co_await peer.read_to("0\r\n\r\n");
        EXPECT_EQ(body_of(co_await peer.read_message()), "/a abc 1");
        EXPECT_EQ(body_of(co_await peer.read_message()), "/b de 2");
        co_await peer.send(large.substr(4000));
        EXPECT_EQ(body_of(co_await peer.read_message()), "/c " + large + " 3");
        co_await peer.send(get("/d"));
        EXPECT_EQ(body_of(co_await peer.read_message()), "/d  ");
    });
}

TEST_F(DepartureTest, WhoDoesNotReadIsCutOff) {
    limits.write_timeout = 200ms;
    Streamer streamer{loop, 100'000, Duration::zero()};
    listen([&](Exchange& x) { return streamer(x); });
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(get("/"));
        EXPECT_TRUE(co_await loop.until([&] { return streamer.write_failed; }));
    });
    EXPECT_LT(streamer.sent, 20'000'000U) << "what the kernel holds, no more";
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    statm >> total >> resident;
    return resident * 4096;
}

TEST_F(DepartureTest, AWriteThatGoesOnSlowlyIsNotCutOffAndTakesNoMemory) {
    limits.write_timeout = 150ms;
    bool ok = false;
    const std::string large(30'000'000, 'x');
    listen([&](Exchange& x) -> Task<void> {
        x.start(200, "", large.size());
        ok = co_await x.write(large);
        co_await x.finish();
    });
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(get("/", "Connection: close\r\n"));
        const Mono start = mono_now();
        const std::size_t before = resident_bytes();
        std::size_t got = 0;
        std::string piece(1'000'000, 0);
        std::error_code ec;
        while (!ec) {
            const auto [error, n] = co_await peer.stream->read_some(piece);
            ec = error;
            got += n;
            co_await loop.sleep(10ms);
        }
        EXPECT_GT(got, large.size());
        EXPECT_TRUE(ok);
        EXPECT_GT(mono_now() - start, Duration(150ms)) << "else this test shows nothing";
        EXPECT_LT(resident_bytes(), before + 20'000'000);
    });
}

TEST_F(DepartureTest, ClosingEndsAllAtOnce) {
    Streamer streamer{loop};
    listen([&](Exchange& x) { return streamer(x); });
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(get("/"));
        (void)co_await peer.read_to("xxx");
        server->close();
        (void)co_await peer.read_all();
        EXPECT_TRUE(co_await loop.until([&] { return streamer.gone && server->connections() == 0; }));
    });
}

}  // namespace
}  // namespace spillway::http::test
