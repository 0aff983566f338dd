// The server over real sockets: framing, keep-alive, pipelining, who may say what.
#include "base/task.hpp"
#include "http/server_fixture.hpp"

namespace spillway::http::test {
namespace {

/// Answers with what it was asked, or as the path says.
Task<void> echo(Exchange& x) {
    const RequestHead& head = x.request();
    if (head.target == "/stream") {
        x.start(200, "Content-Type: text/plain\r\n", std::nullopt);
        for (const std::string_view piece : std::array{"one ", "two ", "three"})
            if (!co_await x.write(piece)) co_return;
        co_await x.finish();
    } else if (head.target == "/length") {
        x.start(200, "", 9);
        const std::array<std::string_view, 2> pieces{"four ", "fi"};
        co_await x.write(pieces);
        co_await x.finish("ve");
    } else if (head.target == "/204") {
        x.start(204, "", std::nullopt);
        co_await x.finish();
    } else if (head.target == "/304") {
        co_await x.respond(304, std::array{Field{"ETag", "\"1\""}}, "");
    } else if (head.target == "/short") {
        x.start(200, "", 10);
        co_await x.finish("five!");
    } else if (head.target == "/long") {
        x.start(200, "", 3);
        EXPECT_TRUE(co_await x.write("abc"));
        EXPECT_FALSE(co_await x.write("d"));
    } else if (head.target == "/nothing") {
        co_return;
    } else if (head.target == "/throw") {
        throw std::runtime_error("thrown");
    } else if (head.target == "/throw-late") {
        x.start(200, "", std::nullopt);
        co_await x.write("begun");
        throw std::runtime_error("thrown");
    } else if (head.target == "/abort") {
        x.start(200, "", std::nullopt);
        co_await x.write("begun");
        x.abort();
        EXPECT_FALSE(co_await x.write("more"));
    } else {
        std::string body(head.method);
        body.append(" ").append(head.target).append(" ").append(x.body());
        EXPECT_TRUE(co_await x.respond(200, std::array{Field{"X-Echo", "1"}}, body));
        EXPECT_FALSE(co_await x.respond(200, {}, "again"));
    }
}

class ServerTest : public ServerFixture {
protected:
    ServerTest() { listen(echo); }
};

TEST_F(ServerTest, KeepsAConnectionForManyRequests) {
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        for (int i = 0; i < 20; ++i) {
            const std::string body(static_cast<std::size_t>(i) * 700, 'x');
            co_await peer.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body);
            const std::string answer = co_await peer.read_message();
            EXPECT_EQ(status_of(answer), 200);
            EXPECT_EQ(body_of(answer), "POST /p " + body);
            EXPECT_EQ(answer.find("Connection:"), std::string::npos);
        }
        EXPECT_EQ(server->connections(), 1U);
    });
}

TEST_F(ServerTest, ClosesWhenAsked) {
    const std::string answer = exchange(get("/a", "Connection: close\r\n"));
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(body_of(answer), "GET /a ");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
    const std::string answer =
        exchange(get("/1") + "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + get("/stream") +
                 "\r\n" + get("/4", "Connection: close\r\n"));
    const auto first = answer.find("GET /1 ");
    const auto second = answer.find("POST /2 abc");
    const auto third = answer.find("three");
    const auto fourth = answer.find("GET /4 ");
    ASSERT_NE(fourth, std::string::npos) << answer;
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_LT(third, fourth);
    EXPECT_EQ(count_of(answer, "HTTP/1.1 200 OK"), 4U);
}

TEST_F(ServerTest, TakesARequestByteByByte) {
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        const std::string bytes = "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" +
                                  std::string(
                                      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n");
        for (const char c : bytes) {
            co_await peer.send({&c, 1});
            co_await loop.sleep(50us);
        }
        EXPECT_EQ(body_of(co_await peer.read_message()), "POST /slow hello");
        EXPECT_EQ(body_of(co_await peer.read_message()), "POST /c abcde");
    });
}

TEST_F(ServerTest, ReadsLargeBodiesOfBothFramings) {
    std::string large(3'000'000, 'a');
    for (std::size_t i = 0; i < large.size(); i += 1000) large[i] = static_cast<char>('b' + i / 1000 % 20);
    std::string chunked;
    for (std::size_t at = 0; at < large.size(); at += 60'000) {
        chunked += "ea60\r\n";  // 60,000
        chunked.append(large, at, 60'000).append("\r\n");
    }
    const std::string answer =
        exchange("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + large +
                 "POST /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
                 chunked + "0\r\n\r\n");
    const auto second = answer.find("HTTP/1.1", 8);
    ASSERT_NE(second, std::string::npos);
    EXPECT_EQ(body_of(answer.substr(0, second)), "POST /a " + large);
    EXPECT_EQ(body_of(answer.substr(second)), "POST /b " + large);
}

TEST_F(ServerTest, SendsContinueOnlyWhenTheBodyIsAwaited) {
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        for (const std::string_view framing : std::array{"Content-Length: 5", "Transfer-Encoding: chunked"}) {
            co_await peer.send("POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" +
                               std::string(framing) + "\r\n\r\n");
            EXPECT_EQ(co_await peer.read_to("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
            co_await peer.send(framing.starts_with("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n");
            EXPECT_EQ(body_of(co_await peer.read_message()), "POST /e hello");
        }
        co_await peer.send(
            "POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
        EXPECT_EQ(status_of(co_await peer.read_message()), 200);
    });
}

TEST_F(ServerTest, StreamsInChunksAndInLengths) {
    const std::string chunked = exchange(get("/stream", "Connection: close\r\n"));
    EXPECT_NE(chunked.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_EQ(body_of(chunked), "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n");
    const std::string length = exchange(get("/length", "Connection: close\r\n"));
    EXPECT_NE(length.find("Content-Length: 9\r\n"), std::string::npos);
    EXPECT_EQ(body_of(length), "four five");
}

TEST_F(ServerTest, SpeaksHttp10) {
    const std::string plain = exchange("GET /a HTTP/1.0\r\n\r\n");
    EXPECT_EQ(body_of(plain), "GET /a ");
    EXPECT_NE(plain.find("Connection: close\r\n"), std::string::npos);
    const std::string streamed = exchange("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(streamed.find("chunked"), std::string::npos);
    EXPECT_EQ(body_of(streamed), "one two three") << "until close";
    const std::string kept =
        exchange("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n");
    EXPECT_EQ(count_of(kept, "HTTP/1.1 200"), 2U);
    EXPECT_EQ(count_of(kept, "Connection: keep-alive"), 1U);
}

TEST_F(ServerTest, SendsNoBodyWhereNoneBelongs) {
    const std::string answer =
        exchange("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n" + get("/204") +
                 get("/304") + get("/b", "Connection: close\r\n"));
    EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 5U) << answer;
    EXPECT_EQ(count_of(answer, "\r\n\r\nHTTP/1.1 "), 4U) << "no byte between the heads: " << answer;
    EXPECT_NE(answer.find("Content-Length: 8\r\n"), std::string::npos) << "a HEAD's answer tells its length";
    const auto no_content = answer.find("HTTP/1.1 204");
    const std::string rest = answer.substr(no_content, answer.find("HTTP/1.1 200", no_content) - no_content);
    EXPECT_EQ(rest.find("Content-Length"), std::string::npos);
    EXPECT_EQ(rest.find("Transfer-Encoding"), std::string::npos);
}

TEST_F(ServerTest, CutsWhatIsNotWhatItsHeadPromised) {
    EXPECT_EQ(body_of(exchange(get("/short"))), "five!");
    EXPECT_EQ(body_of(exchange(get("/long"))), "abc");
    EXPECT_EQ(body_of(exchange(get("/abort"))), "5\r\nbegun\r\n");
    EXPECT_EQ(server->connections(), 0U);
}

TEST_F(ServerTest, AnHttp10ClientSeesACutAsAReset) {
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send("GET /abort HTTP/1.0\r\n\r\n");
        (void)co_await peer.read_all();
        EXPECT_EQ(peer.last_error, std::errc::connection_reset);
    });
}

TEST_F(ServerTest, AHandlersFailureIsA500AndHeard) {
    int heard = 0;
    server->on_exception([&](const std::exception_ptr& e) {
        ++heard;
        EXPECT_THROW(std::rethrow_exception(e), std::runtime_error);
    });
    for (const auto* path : {"/nothing", "/throw"}) {
        const std::string answer = exchange(get(path));
        EXPECT_EQ(status_of(answer), 500);
        EXPECT_NE(answer.find("\"code\":\"internal_error\""), std::string::npos);
    }
    EXPECT_EQ(heard, 1);
    EXPECT_EQ(body_of(exchange(get("/throw-late"))), "5\r\nbegun\r\n");
    EXPECT_EQ(heard, 2);
}

TEST_F(ServerTest, ReducesAbsoluteForm) {
    EXPECT_EQ(body_of(exchange("GET http://a:1/p?q=1 HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")),
              "GET /p?q=1 ");
    EXPECT_EQ(body_of(exchange("GET http://a HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")), "GET / ");
    EXPECT_EQ(body_of(exchange("OPTIONS * HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")), "OPTIONS * ");
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
    const std::string host = "Host: x\r\n";
    const std::vector<std::pair<std::string, int>> bad = {
        {"GET / HTTP/1.1\r\n\r\n", 400},                            // no Host
        {"GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},         // two
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},               // not a host
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},               //
        {"CONNECT a:1 HTTP/1.1\r\n" + host + "\r\n", 400},          // not for us
        {"GET * HTTP/1.1\r\n" + host + "\r\n", 400},                //
        {"GET ftp://a/b HTTP/1.1\r\n" + host + "\r\n", 400},        //
        {"GET / HTTP/2.0\r\n" + host + "\r\n", 400},                //
        {"GET  / HTTP/1.1\r\n" + host + "\r\n", 400},               // two spaces
        {"GET / HTTP/1.1\r\n" + host + "A : b\r\n\r\n", 400},       // space before colon
        {"GET / HTTP/1.1\r\n" + host + "A: b\r\n c\r\n\r\n", 400},  // obs-fold
        {"GET / HTTP/1.1\r\n" + host + "A:\r\n b\r\n\r\n", 400},    //
        {"GET / HTTP/1.1\r\n" + host + "A: \r\n \r\n\r\n", 400},    //
        {"GET / HTTP/1.1\r\n" + host + "A: b\0c\r\n\r\n", 400},     //
        {"GET / HTTP/1.1\n" + host + "\r\n\r\n", 400},              // bare line feed
        {"GET / HTTP/1.1\r\n" + host + "A: b\nB: c\r\n\r\n", 400},  //
        {"\x16\x03\x01 not HTTP", 400},                             // refused at once
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1, 2\r\n\r\nab", 400},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: +1\r\n\r\na", 400},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
        {"POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20'000, 'x'),
         400},
    };
    for (const auto& [bytes, status] : bad) {
        const std::string answer = exchange(bytes + get("/smuggled"));
        EXPECT_EQ(status_of(answer), status) << bytes.substr(0, 100) << "\n" << answer;
        EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 1U) << "what follows is not to be taken for a request";
        EXPECT_NE(answer.find("{\"error\":{\"message\":\""), std::string::npos);
        EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    }
}

TEST_F(ServerTest, TakesEqualLengthsAsOne) {
    EXPECT_EQ(body_of(exchange("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n"
                               "Content-Length: 2\r\n\r\nab")),
              "POST / ab")
        << "RFC 9112 §6.3 allows it";
}

TEST_F(ServerTest, TrailersNeverBecomeFields) {
    bool seen = false;
    Server strict(loop.io, {}, [&](Exchange& x) -> Task<void> {
        seen = x.request().fields.has("X-Late");
        EXPECT_EQ(x.request().fields.get("X-Early"), "");
        EXPECT_TRUE(x.request().fields.has("X-Early")) << "empty is not absent";
        co_await x.respond(200, {}, x.body());
    });
    ASSERT_TRUE(strict.listen(Listen{}));
    loop.run([&]() -> Task<void> {
        Peer peer(loop.io);
        co_await peer.connect(strict.port());
        co_await peer.send(
            "POST / HTTP/1.1\r\nHost: x\r\nX-Early:\r\nTransfer-Encoding: chunked\r\n\r\n"
            "1\r\na\r\n0\r\nX-Late: 1\r\nHost: y\r\n\r\n");
        EXPECT_EQ(body_of(co_await peer.read_message()), "a");
    });
    EXPECT_FALSE(seen);
}

}  // namespace
}  // namespace spillway::http::test
