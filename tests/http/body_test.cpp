// Bodies that are read when the handler says so, and what they may take: memory, time.
#include "base/task.hpp"
#include "http/server_fixture.hpp"

namespace spillway::http::test {
namespace {

std::string post(std::string_view path, std::size_t length, std::string_view body = {},
                 std::string_view more = {}) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(length) +
           "\r\n" + std::string(more) + "\r\n" + std::string(body);
}

/// "/no…" is refused by its head; of what else comes the body's size and the head are told.
Task<void> look_at_head(Exchange& x) {
    if (x.request().target.starts_with("/no")) {
        co_await x.respond(401, {}, "no");
        co_return;
    }
    const bool read = co_await read_or_explain(x);
    if (!read) co_return;
    std::string said(x.request().target);
    said.append(" ").append(x.request().fields.get("x-mark")).append(" ");
    said.append(std::to_string(x.body().size()));
    co_await x.respond(200, {}, said);
}

class HeadsFirst : public ServerFixture {
protected:
    HeadsFirst() {
        limits.max_body_bytes = 1'000'000;
        limits.memory = &memory;
    }
    void start() {
        server.emplace(loop.io, limits, look_at_head);
        server->hand_over_heads();
        ASSERT_TRUE(server->listen(Listen{}));
    }
    MemoryBudget memory{500'000};
};

TEST_F(HeadsFirst, AHeadIsAnsweredWithoutItsBody) {
    start();
    const std::string answer = exchange(post("/no", 900'000));
    EXPECT_EQ(status_of(answer), 401);
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    const std::string chunked =
        exchange("POST /no HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(status_of(chunked), 401);
    EXPECT_EQ(memory.used(), 0U);
    EXPECT_EQ(memory.refused(), 0U);
}

TEST_F(HeadsFirst, AnAnswerReachesAClientThatGoesOnSending) {
    start();
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(post("/no", 900'000));
        EXPECT_TRUE(co_await peer.send(std::string(900'000, 'x')));
        EXPECT_EQ(status_of(co_await peer.read_all()), 401);
        EXPECT_EQ(peer.last_error, IoError::eof);
    });
}

TEST_F(HeadsFirst, AFormMayBringMoreAndLeavesHalfOfTheMemory) {
    limits.max_body_bytes = 100'000;
    limits.max_upload_bytes = 200'000;
    start();
    const std::string form = "Content-Type: Multipart/Form-Data; boundary=b\r\n";
    const auto sent = [&](std::size_t size, const std::string& fields) {
        return exchange(post("/yes", size, std::string(size, 'x'), fields + "Connection: close\r\n"));
    };
    EXPECT_EQ(status_of(sent(150'000, {})), 413);
    EXPECT_EQ(body_of(sent(150'000, form)), "/yes  150000");
    EXPECT_EQ(status_of(sent(200'001, form)), 413);
    const std::string chunks =
        "POST /yes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n";
    const std::string data = "\r\n249f0\r\n" + std::string(150'000, 'x') + "\r\n0\r\n\r\n";
    EXPECT_EQ(status_of(exchange(chunks + data)), 413);
    EXPECT_EQ(body_of(exchange(chunks + form + data)), "/yes  150000");

    MemoryCharge others;
    ASSERT_TRUE(others.grow_to(&memory, 150'000));
    EXPECT_EQ(status_of(sent(150'000, form)), 503) << "it would leave less than half";
    EXPECT_EQ(body_of(sent(100'000, {})), "/yes  100000");
    memory.use_limit(280'000);
    EXPECT_EQ(status_of(sent(150'000, form)), 413) << "it never fits";
}

TEST_F(HeadsFirst, NobodyIsToldToContinueInVain) {
    start();
    const std::string answer = exchange(post("/no", 900, {}, "Expect: 100-continue\r\n"));
    EXPECT_EQ(status_of(answer), 401);
    EXPECT_EQ(answer.find("100 Continue"), std::string::npos);
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(post("/yes", 5, {}, "Expect: 100-continue\r\n"));
        EXPECT_EQ(co_await peer.read_to("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
        co_await peer.send("hello");
        EXPECT_EQ(body_of(co_await peer.read_message()), "/yes  5");
    });
}

TEST_F(HeadsFirst, AShortBodyIsPassedOverAndTheConnectionKept) {
    start();
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        for (const std::size_t size : {1U, 5000U, 60'000U}) {
            co_await peer.send(post("/no", size));
            const std::string answer = co_await peer.read_message();
            EXPECT_EQ(status_of(answer), 401);
            EXPECT_EQ(answer.find("Connection: close"), std::string::npos);
            // A body that looks like a request is none.
            std::string body = size > 1 ? get("/smuggled") : std::string();
            body.resize(size, 'x');
            co_await peer.send(body + post("/yes", 3, "abc", "X-Mark: m\r\n"));
            EXPECT_EQ(body_of(co_await peer.read_message()), "/yes m 3");
        }
    });
}

TEST_F(HeadsFirst, TheHeadOutlastsItsBody) {
    start();
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        for (const std::size_t size : {0U, 10U, 4096U, 10'000U, 240'000U}) {
            co_await peer.send(post("/yes", size, {}, "X-Mark: still here\r\n"));
            const std::string body(size, 'x');
            for (std::size_t at = 0; at < size; at += 100'000) {
                co_await loop.sleep(1ms);
                co_await peer.send(std::string_view(body).substr(at, 100'000));
            }
            EXPECT_EQ(body_of(co_await peer.read_message()), "/yes still here " + std::to_string(size));
            co_await peer.send(
                "POST /chunks HTTP/1.1\r\nHost: x\r\nX-Mark: here\r\nTransfer-Encoding: chunked\r\n\r\n");
            co_await loop.sleep(1ms);
            std::string chunks;
            for (std::size_t at = 0; at < size; at += 5000) {
                const std::size_t n = std::min<std::size_t>(5000, size - at);
                char line[16];
                (void)std::snprintf(line, sizeof line, "%zx\r\n", n);
                chunks += line + body.substr(at, n) + "\r\n";
            }
            co_await peer.send(chunks + "0\r\n\r\n" + post("/next", 2, "ab"));
            EXPECT_EQ(body_of(co_await peer.read_message()), "/chunks here " + std::to_string(size));
            EXPECT_EQ(body_of(co_await peer.read_message()), "/next  2");
        }
    });
    EXPECT_EQ(memory.used(), 0U);
}

TEST_F(HeadsFirst, MemoryIsRefusedBeforeTheBodyIsRead) {
    start();
    loop.run([&]() -> Task<void> {
        Peer holder = co_await client();
        co_await holder.send(post("/yes", 400'000));
        EXPECT_TRUE(co_await loop.until([&] { return memory.used() == 400'000; }));
        Peer late = co_await client();
        co_await late.send(post("/yes", 200'000));
        const std::string answer = co_await late.read_all();
        EXPECT_EQ(status_of(answer), 503);
        EXPECT_EQ(body_of(answer), "out_of_memory");
        Peer small = co_await client();
        co_await small.send(post("/yes", 5, "small"));
        EXPECT_EQ(status_of(co_await small.read_message()), 200) << "it needs none";
        co_await holder.send(std::string(400'000, 'x'));
        EXPECT_EQ(body_of(co_await holder.read_message()), "/yes  400000") << "work under way ends";
        EXPECT_TRUE(co_await loop.until([&] { return memory.used() == 0; }));
    });
}

TEST_F(HeadsFirst, AChunkedBodyIsChargedAsItGrows) {
    start();
    EXPECT_EQ(
        status_of(exchange("POST /yes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n927c0\r\n" +
                           std::string(600'000, 'x') + "\r\n0\r\n\r\n")),
        503);
    EXPECT_EQ(memory.used(), 0U);
}

TEST_F(HeadsFirst, ATrickleEnds) {
    limits.body_timeout = 100ms;
    limits.body_rate = 1000;
    start();
    loop.run([&]() -> Task<void> {
        const Mono began = mono_now();
        for (const std::string_view framing :
             {"Content-Length: 90000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n15f90\r\n"}) {
            Peer peer = co_await client();
            bool over = false;
            co_await peer.send("POST /yes HTTP/1.1\r\nHost: x\r\n" + std::string(framing));
            loop.io.spawn([&]() -> Task<void> {
                while (!over) {
                    (void)co_await peer.send("x");
                    co_await loop.sleep(20ms);
                }
            });
            const std::string answer = co_await peer.read_to("request_timeout");
            over = true;
            EXPECT_EQ(status_of(answer), 408);
            co_await loop.sleep(30ms);
        }
        EXPECT_LT(mono_now() - began, Duration(20s)) << "sent at this pace they would take half an hour";
    });
    EXPECT_EQ(memory.used(), 0U);
}

TEST_F(HeadsFirst, ABodyHasATimeInAll) {
    limits.body_time = 150ms;
    limits.body_rate = 0;
    start();
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        bool over = false;
        co_await peer.send(post("/yes", 900));
        loop.io.spawn([&]() -> Task<void> {
            while (!over) {
                (void)co_await peer.send("x");
                co_await loop.sleep(20ms);
            }
        });
        const Mono began = mono_now();
        EXPECT_EQ(status_of(co_await peer.read_to("request_timeout")), 408);
        EXPECT_GE(mono_now() - began, Duration(140ms));
        EXPECT_LT(mono_now() - began, Duration(2s));
        over = true;
        co_await loop.sleep(30ms);
    });
}

TEST_F(HeadsFirst, ADepartureWithinABodyFreesItsMemory) {
    start();
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send(post("/yes", 300'000, std::string(10'000, 'x')));
        EXPECT_TRUE(co_await loop.until([&] { return memory.used() == 300'000; }));
        peer.close();
        EXPECT_TRUE(co_await loop.until([&] { return memory.used() == 0 && server->connections() == 0; }));
    });
}

}  // namespace
}  // namespace spillway::http::test
