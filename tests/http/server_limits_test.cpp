// The server's limits, slow clients, draining; and what is under way when the loop ends.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/file_descriptor.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/server_fixture.hpp"

namespace spillway::http::test {
namespace {

TEST_F(LimitsTest, RefusesLargeHeads) {
    listen(hello);
    EXPECT_EQ(status_of(exchange(get("/", "A: " + std::string(2000, 'x') + "\r\n"))), 431);
    EXPECT_EQ(status_of(exchange("GET /" + std::string(100'000, 'x'))), 431);
    EXPECT_EQ(status_of(exchange(get("/", "Connection: close\r\nA: " + std::string(1900, 'x') + "\r\n"))),
              200);
}

TEST_F(LimitsTest, RefusesLargeBodiesBeforeTheyAreRead) {
    listen(hello);
    const std::string answer = exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n");
    EXPECT_EQ(status_of(answer), 413);
    EXPECT_NE(answer.find("\"code\":\"request_too_large\""), std::string::npos);
    EXPECT_EQ(status_of(exchange("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                 "Content-Length: 10001\r\n\r\n")),
              413);
    EXPECT_EQ(status_of(exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n" +
                                 std::string(10'001, 'x') + "\r\n")),
              413);
    EXPECT_EQ(status_of(exchange("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
                                 "10000\r\n\r\n" +
                                 std::string(10'000, 'x'))),
              200);
}

TEST_F(LimitsTest, ARefusalReachesAClientThatGoesOnSending) {
    listen(hello);
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n");
        EXPECT_TRUE(co_await peer.send(std::string(5'000'000, 'x')));
        EXPECT_EQ(status_of(co_await peer.read_all()), 413);
        EXPECT_EQ(peer.last_error, IoError::eof);
    });
}

TEST_F(LimitsTest, HeadsAndBodiesMustComeInTime) {
    limits.head_timeout = limits.body_timeout = 100ms;
    listen(hello);
    loop.run([&]() -> Task<void> {
        const Mono start = mono_now();
        Peer dripping = co_await client();  // a byte now and then does not help
        loop.io.spawn([&]() -> Task<void> {
            for (const char c : std::string_view("GET / HTTP/1.1\r\nHost: ")) {
                if (!co_await dripping.send({&c, 1})) co_return;
                co_await loop.sleep(20ms);
            }
        });
        EXPECT_EQ(status_of(co_await dripping.read_all()), 408);
        EXPECT_LT(mono_now() - start, Duration(2s));
        Peer stuck = co_await client();
        co_await stuck.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf");
        const std::string answer = co_await stuck.read_all();
        EXPECT_EQ(status_of(answer), 408);
        EXPECT_NE(answer.find("\"code\":\"request_timeout\""), std::string::npos);
        Peer chunks = co_await client();
        co_await chunks.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf");
        EXPECT_EQ(status_of(co_await chunks.read_all()), 408);
    });
}

TEST_F(LimitsTest, IdleConnectionsClose) {
    limits.keep_alive_timeout = 100ms;
    listen(hello);
    loop.run([&]() -> Task<void> {
        Peer silent = co_await client();
        EXPECT_EQ(co_await silent.read_all(), "");
        Peer once = co_await client();
        co_await once.send(get("/"));
        EXPECT_EQ(status_of(co_await once.read_message()), 200);
        EXPECT_EQ(co_await once.read_all(), "");
        EXPECT_TRUE(co_await loop.until([&] { return server->connections() == 0; }));
    });
}

TEST_F(LimitsTest, TakesNoMoreConnectionsThanItMay) {
    limits.max_connections = 2;
    bool go = false;
    listen([&](Exchange& x) -> Task<void> {
        (void)co_await loop.until([&] { return go; });
        co_await x.respond(200, {}, "hello");
    });
    loop.run([&]() -> Task<void> {
        Peer a = co_await client();
        Peer b = co_await client();
        co_await a.send(get("/"));
        co_await b.send(get("/"));
        EXPECT_TRUE(co_await loop.until([&] { return server->connections() == 2; }));
        co_await loop.sleep(5ms);
        Peer c = co_await client();
        EXPECT_EQ(co_await c.read_all(), "") << "the others are busy";
        go = true;
        EXPECT_EQ(status_of(co_await a.read_message()), 200);
        EXPECT_EQ(status_of(co_await b.read_message()), 200);
    });
}

TEST_F(LimitsTest, IdleConnectionsGoForNewOnes) {
    limits.max_connections = 20;
    listen(hello);
    loop.run([&]() -> Task<void> {
        Peer known = co_await client();
        co_await known.send(get("/"));
        EXPECT_EQ(status_of(co_await known.read_message()), 200);
        std::vector<Peer> silent;
        for (int i = 0; i < 100; ++i) silent.push_back(co_await client());
        co_await loop.sleep(10ms);
        EXPECT_LE(server->connections(), 21U);
        Peer late = co_await client();
        co_await late.send(get("/"));
        EXPECT_EQ(status_of(co_await late.read_message()), 200);
        co_await known.send(get("/"));
        EXPECT_EQ(status_of(co_await known.read_message()), 200) << "those that never asked go first";
    });
}

TEST_F(LimitsTest, ManyAtOnceDoNotKeepTheLastOneOut) {
    limits.max_connections = 256;
    listen(hello);
    const auto silent = [&] {
        FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(server->port());
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
        return socket;
    };
    loop.run([&]() -> Task<void> {
        std::vector<FileDescriptor> sockets;
        for (int round = 0; round < 20; ++round) {
            // All are accepted in one turn, before any of those that make room has ended.
            for (int i = 0; i < 100; ++i) sockets.push_back(silent());
            Peer late = co_await client();
            co_await late.send(get("/"));
            EXPECT_EQ(status_of(co_await late.read_message()), 200) << round;
            if (sockets.size() > 600) sockets.erase(sockets.begin(), sockets.begin() + 100);
        }
    });
}

// UBSan cannot look at a pointer's type when there are no descriptors left.
#if defined(__has_feature)
#define SPILLWAY_SANITIZED __has_feature(address_sanitizer)
#else
#define SPILLWAY_SANITIZED 0
#endif
#if !SPILLWAY_SANITIZED && !defined(__SANITIZE_ADDRESS__)
TEST_F(LimitsTest, KeptDescriptorsServeWhenThereAreNoOthers) {
    listen(hello);
    int short_of = 0;
    server->keep_descriptors(2);
    server->on_shortage([&](const std::error_code& ec) {
        ++short_of;
        EXPECT_EQ(ec, std::errc::too_many_files_open);
    });
    loop.run([&]() -> Task<void> {
        rlimit before{};
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
        Peer peer(loop.io);
        FileDescriptor next(::open("/dev/null", O_RDONLY));
        rlimit now = before;
        now.rlim_cur = static_cast<rlim_t>(next.get()) + 1;  // room for the client's socket, and no more
        next.reset();
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &now), 0);
        co_await peer.connect(server->port());
        co_await peer.send(get("/"));
        EXPECT_EQ(status_of(co_await peer.read_message()), 200);
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    });
    EXPECT_EQ(short_of, 1);
}
#endif

TEST_F(LimitsTest, DrainingEndsIdleConnectionsAtOnceAndBusyOnesAfterTheirAnswer) {
    bool go = false;
    listen([&](Exchange& x) -> Task<void> {
        if (x.request().target == "/slow") (void)co_await loop.until([&] { return go; });
        co_await x.respond(200, {}, "hello");
    });
    loop.run([&]() -> Task<void> {
        Peer idle = co_await client();
        co_await idle.send(get("/"));
        (void)co_await idle.read_message();
        Peer busy = co_await client();
        co_await busy.send(get("/slow"));
        co_await loop.sleep(5ms);
        server->drain();
        EXPECT_EQ(co_await idle.read_all(), "");
        Peer late(loop.io);
        const std::error_code ec = co_await late.try_connect(server->port());
        EXPECT_TRUE(ec);
        go = true;
        const std::string answer = co_await busy.read_all();
        EXPECT_EQ(body_of(answer), "hello");
        EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
        busy.close();
        EXPECT_TRUE(co_await loop.until([&] { return server->connections() == 0; }));
    });
}

TEST_F(LimitsTest, WhoCameJustBeforeTheDrainMayAskOnce) {
    listen(hello);
    loop.run([&]() -> Task<void> {
        Peer asks = co_await client();
        Peer silent = co_await client();
        EXPECT_TRUE(co_await loop.until([&] { return server->connections() == 2; }));
        server->drain();
        co_await loop.sleep(20ms);
        co_await asks.send(get("/") + get("/"));
        const std::string answer = co_await asks.read_all();
        EXPECT_EQ(status_of(answer), 200);
        EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
        EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << "one answer: " << answer;
        EXPECT_EQ(co_await silent.read_all(), "");
        asks.close();
        EXPECT_TRUE(co_await loop.until([&] { return server->connections() == 0; }));
    });
}

TEST_F(LimitsTest, DrainingAnswersRequestsThatWaitToBeRead) {
    int asked = 0;
    listen([&](Exchange& x) -> Task<void> {
        // The first of many that ask at once: the others wait their turn.
        if (x.request().target == "/again" && ++asked == 1) loop.io.post([this] { server->drain(); });
        co_await x.respond(200, {}, "hello");
    });
    loop.run([&]() -> Task<void> {
        std::vector<Peer> peers;
        for (int i = 0; i < 100; ++i) peers.push_back(co_await client());
        for (Peer& peer : peers) {
            co_await peer.send(get("/"));
            (void)co_await peer.read_message();
        }
        for (Peer& peer : peers) co_await peer.send(get("/again"));
        for (Peer& peer : peers) {
            const std::string answer = co_await peer.read_all();
            EXPECT_EQ(status_of(answer), 200);
            EXPECT_EQ(body_of(answer), "hello");
        }
    });
    EXPECT_EQ(asked, 100);
}

TEST_F(LimitsTest, SaysWhyItCannotListen) {
    listen(hello);
    Server second(loop.io, {}, hello);
    const auto taken = second.listen(Listen{"127.0.0.1", server->port()});
    ASSERT_FALSE(taken);
    EXPECT_NE(taken.error().message.find("127.0.0.1:" + std::to_string(server->port())), std::string::npos);
    EXPECT_FALSE(second.listen(Listen{"no address", 0}));
}

// What is under way when the loop is destroyed must neither crash nor leak (the leak checker looks).
TEST(ShutdownTest, ALoopMayGoWithAllUnderWay) {
    auto loop = std::make_unique<Loop>();
    auto listener = std::make_unique<Listener>(loop->io);
    OriginOptions o;
    o.host = "127.0.0.1";
    o.port = listener->port();
    auto origin = std::make_unique<Origin>(loop->io, o);
    o.host = "localhost";
    auto named = std::make_unique<Origin>(loop->io, o);
    auto server = std::make_unique<Server>(loop->io, ServerLimits{}, [&](Exchange& x) -> Task<void> {
        x.on_gone([] {});
        if (x.request().target == "/write") {
            x.start(200, "", std::nullopt);
            const std::string bytes(1'000'000, 'x');
            bool ok = true;
            while (ok) ok = co_await x.write(bytes);
        }
        auto up = co_await origin->connect(false);
        const std::string_view request = "GET / HTTP/1.1\r\n\r\n";
        (void)co_await up->send(std::span(&request, 1), 5s);
        (void)co_await up->read_head(5s);
    });
    ASSERT_TRUE(server->listen(Listen{}));
    std::vector<Peer> peers;
    loop->run([&]() -> Task<void> {
        for (const auto* bytes :
             std::array{"", "GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
                        "GET /read HTTP/1.1\r\nHost: x\r\n\r\n", "GET /write HTTP/1.1\r\nHost: x\r\n\r\n"}) {
            peers.emplace_back(loop->io);
            co_await peers.back().connect(server->port());
            co_await peers.back().send(bytes);
        }
        co_await loop->sleep(20ms);
        loop->io.spawn([&]() -> Task<void> { (void)co_await named->connect(true); });
        co_await loop->sleep(1ms);
    });
    EXPECT_EQ(server->connections(), 5U);
    peers.clear();
    named.reset();
    origin.reset();
    server.reset();
    listener.reset();
    loop.reset();
}

}  // namespace
}  // namespace spillway::http::test
