// The client against a raw peer: answers of every framing, the pool, and what may go wrong.
#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/client_fixture.hpp"

namespace spillway::http::test {
namespace {

TEST_F(ClientTest, UsesAConnectionAgain) {
    loop.run([&]() -> Task<void> {
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

/// What a peer sends, and whether it closes afterwards, seen through the client.
struct Seen {
    NetResult<unsigned> status = 0U;
    std::optional<NetError> body_error;
    std::string body;
    std::size_t idle = 0;
};

class AnswersTest : public ClientTest {
protected:
    Seen answer(std::string bytes, bool close = false, bool head_request = false) {
        Seen seen;
        loop.run([&]() -> Task<void> {
            auto up = co_await origin.connect(true);
            Peer peer = co_await listener.accept();
            EXPECT_TRUE(co_await ask(*up));
            (void)co_await peer.read_to("\r\n\r\n");
            co_await peer.send(bytes);
            if (close) peer.close();
            const auto head = co_await up->read_head(5s, head_request);
            if (!head) {
                seen.status = head.error();
                co_return;
            }
            seen.status = (*head)->status;
            for (;;) {
                const auto piece = co_await up->read_body(5s);
                if (!piece) seen.body_error = piece.error();
                if (!piece || piece->empty()) break;
                seen.body.append(*piece);
            }
            up->done();
            seen.idle = origin.idle();
        });
        return seen;
    }
    void expect(std::string bytes, std::string_view body, bool reusable, bool close = false) {
        const Seen seen = answer(bytes, close);
        ASSERT_TRUE(seen.status) << bytes << ": " << seen.status.error().message;
        EXPECT_FALSE(seen.body_error) << bytes;
        EXPECT_EQ(seen.body, body) << bytes;
        EXPECT_EQ(seen.idle, reusable ? 1U : 0U) << bytes;
        Peer drop(loop.io);
        loop.run([&]() -> Task<void> {  // empties the pool
            if (origin.idle() > 0) (void)co_await origin.connect(false);
        });
    }
};

TEST_F(AnswersTest, OfEveryFraming) {
    expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", true);
    expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true);
    expect(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nT: 1\r\n\r\n",
        "hello", true);
    expect("HTTP/1.1 204 No Content\r\n\r\n", "", true);
    expect("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "", true);
    expect("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", false, true);
    expect("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", "hi", false);
    expect("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", false);
    expect("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "hi", true);
    expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more", "hi", false);
    expect(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        "hi", true);
}

TEST_F(AnswersTest, ToHeadHaveNoBody) {
    const Seen seen = answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, true);
    EXPECT_EQ(*seen.status, 200U);
    EXPECT_EQ(seen.body, "");
    EXPECT_EQ(seen.idle, 1U);
}

TEST_F(AnswersTest, CutShortAreErrors) {
    for (const auto* bytes : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n"}) {
        const Seen seen = answer(bytes, true);
        EXPECT_EQ(*seen.status, 200U);
        EXPECT_EQ(seen.body, "hel");
        ASSERT_TRUE(seen.body_error) << bytes;
        EXPECT_EQ(seen.body_error->kind, NetError::Kind::closed);
        EXPECT_EQ(seen.idle, 0U);
    }
    for (const auto* bytes : {"", "HTTP/1.1 200 OK\r\nContent-"}) {
        const Seen seen = answer(bytes, true);
        ASSERT_FALSE(seen.status);
        EXPECT_EQ(seen.status.error().kind,
                  *bytes == '\0' ? NetError::Kind::closed : NetError::Kind::protocol);
    }
}

TEST_F(AnswersTest, ThatAreNotHttpAreErrors) {
    const std::vector<std::string> bad = {
        "SSH-2.0-OpenSSH",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 042 ?\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: " + std::string(70'000, 'x'),
    };
    for (const std::string& bytes : bad) {
        const Seen seen = answer(bytes);
        ASSERT_FALSE(seen.status) << bytes.substr(0, 80);
        EXPECT_EQ(seen.status.error().kind, NetError::Kind::protocol) << bytes.substr(0, 80);
    }
    for (const std::string& chunks :
         std::vector<std::string>{"xyz\r\n", "1\r\nabc\r\n", "1;" + std::string(70'000, 'x')}) {
        const Seen seen = answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
        ASSERT_TRUE(seen.body_error) << chunks.substr(0, 10);
        EXPECT_EQ(seen.body_error->kind, NetError::Kind::protocol);
    }
}

TEST_F(ClientTest, AHeadsViewsHoldWhileAMuchLargerBodyPasses) {
    loop.run([&]() -> Task<void> {
        auto up = co_await origin.connect(false);
        Peer peer = co_await listener.accept();
        EXPECT_TRUE(co_await ask(*up));
        std::string body(5'000'000, 'a');
        for (std::size_t i = 0; i < body.size(); i += 4096) body[i] = static_cast<char>('b' + i / 4096 % 23);
        std::string answer =
            "HTTP/1.1 200 Fine\r\nX-First: one\r\nTransfer-Encoding: chunked\r\nX-Last: two\r\n\r\n";
        for (std::size_t at = 0; at < body.size(); at += 1000)
            answer.append("3e8\r\n").append(body, at, 1000).append("\r\n");
        answer.append("0\r\n\r\n");
        loop.io.spawn([&]() -> Task<void> { (void)co_await peer.send(answer); });
        const auto head = co_await up->read_head(5s);
        EXPECT_EQ(co_await read_rest(*up), body);
        EXPECT_EQ((*head)->reason, "Fine");
        EXPECT_EQ((*head)->fields.get("x-first"), "one");
        EXPECT_EQ((*head)->fields.get("x-last"), "two");
        up->done();
        EXPECT_EQ(origin.idle(), 1U);
    });
}

TEST_F(ClientTest, SendsALargeRequestInManyPieces) {
    loop.run([&]() -> Task<void> {
        auto up = co_await origin.connect(false);
        Peer peer = co_await listener.accept();
        const std::string piece(100'000, 'p');
        std::vector<std::string_view> pieces{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"};
        for (int i = 0; i < 30; ++i) pieces.push_back(piece);
        const std::string got = co_await received(*up, peer, pieces);
        EXPECT_EQ(body_of(got).size(), 3'000'000U);
    });
}

TEST_F(ClientTest, SendsAtOnceWhatTheSocketTakesAndLeavesTheRest) {
    loop.run([&]() -> Task<void> {
        auto up = co_await origin.connect(false);
        Peer peer = co_await listener.accept();
        const std::string piece(1'000'000, 'p');
        std::vector<std::string_view> pieces{
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n"};
        for (int i = 0; i < 30; ++i) pieces.push_back(piece);
        EXPECT_FALSE(up->send_now(pieces));
        EXPECT_TRUE(pieces.front().empty()) << "the head, at least, went out";
        EXPECT_FALSE(pieces.back().empty());
        const std::string got = co_await received(*up, peer, pieces);
        EXPECT_EQ(body_of(got), std::string(30'000'000, 'p'));
    });
}

TEST_F(ClientTest, TakesWithoutWaitingWhatIsThere) {
    loop.run([&]() -> Task<void> {
        EXPECT_FALSE(origin.pooled());
        std::optional<Upstream> up = *co_await origin.connect(false);
        Peer peer = co_await listener.accept();
        for (int i = 0; i < 3; ++i) {
            std::vector<std::string_view> pieces{"GET / HTTP/1.1\r\n", "", "Host: x\r\n\r\n"};
            EXPECT_TRUE(up->send_now(pieces));
            EXPECT_TRUE((co_await peer.read_to("\r\n\r\n")).starts_with("GET / "));
            co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
            EXPECT_TRUE(co_await up->read_head(5s));
            EXPECT_FALSE(up->body_now()) << "nothing of it is there";
            co_await peer.send("body");
            EXPECT_EQ(*co_await up->read_body(5s), "body");
            EXPECT_EQ(up->body_now(), "") << "its end";
            up->done();
            up = origin.pooled();
            EXPECT_TRUE(up);
            EXPECT_EQ(origin.idle(), 0U);
        }
        std::vector<std::string_view> pieces{"GET / HTTP/1.1\r\nHost: x\r\n\r\n"};
        EXPECT_TRUE(up->send_now(pieces));
        (void)co_await peer.read_to("\r\n\r\n");
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
        EXPECT_TRUE(co_await up->read_head(5s));
        EXPECT_EQ(up->body_now(), "body");
        EXPECT_EQ(up->body_now(), "");
        peer.close();
        co_await loop.sleep(20ms);
        up->done();
        EXPECT_FALSE(origin.pooled()) << "the peer closed it";
    });
}

TEST_F(ClientTest, HearsARefusalThatComesBeforeTheRequestIsOut) {
    loop.run([&]() -> Task<void> {
        auto up = co_await origin.connect(false);
        Peer peer = co_await listener.accept();
        const std::string large =
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n" + std::string(50'000'000, 'x');
        NetResult<void> sent;
        bool done = false;
        loop.io.spawn([&]() -> Task<void> {
            const std::string_view all = large;
            sent = co_await up->send(std::span(&all, 1), 5s);
            done = true;
        });
        co_await peer.read_some();
        co_await peer.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        co_await loop.sleep(20ms);
        peer.reset();
        EXPECT_TRUE(co_await loop.until([&] { return done; }));
        EXPECT_TRUE(sent);
        const auto head = co_await up->read_head(5s);
        EXPECT_TRUE(head);
        if (head) {
            EXPECT_EQ((*head)->status, 413U);
        }
        up->done();
        EXPECT_EQ(origin.idle(), 0U);
    });
}

}  // namespace
}  // namespace spillway::http::test
