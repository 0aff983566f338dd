// Bodies that a sink takes as they come, and answers that go out without a coroutine.
#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/client_fixture.hpp"
#include "http/server_fixture.hpp"

namespace spillway::http::test {
namespace {

/// Takes all, and wants a pause after each `every`th piece (0: never).
class Basin final : public BodySink {
public:
    explicit Basin(int every = 0) : every_(every) {}
    void on_readable() noexcept override { announced = true; }
    bool on_data(std::string_view piece) override {
        unannounced += announced ? 0 : 1;
        announced = false;
        got.append(piece);
        ++pieces;
        if (throws) throw std::runtime_error("the basin leaks");
        return every_ == 0 || pieces % every_ != 0;
    }

    std::string got;
    int pieces = 0;
    int unannounced = 0;
    bool announced = false;
    bool throws = false;

private:
    int every_;
};

class PourTest : public ClientTest {
protected:
    struct Seen {
        std::string body;
        std::optional<NetError> error;
        int pieces = 0;
        int unannounced = 0;
        int returns = 0;
        std::size_t idle = 0;
    };
    /// The body of an answer whose `parts` come one after the other.
    Seen pour(std::vector<std::string> parts, int every, bool close = false) {
        Seen seen;
        loop.run([&]() -> Task<void> {
            auto up = co_await origin.connect(true);
            Peer peer = co_await listener.accept();
            EXPECT_TRUE(co_await ask(*up));
            (void)co_await peer.read_to("\r\n\r\n");
            const auto send = [&]() -> Task<void> {
                for (const std::string& part : parts) {
                    co_await loop.sleep(3ms);
                    co_await peer.send(part);
                }
                if (close) peer.close();
            };
            loop.io.spawn(send());
            const auto head = co_await up->read_head(5s);
            EXPECT_TRUE(head);
            Basin basin(every);
            for (;;) {
                const auto ended = co_await up->pour(basin, 300ms);
                ++seen.returns;
                if (!ended) seen.error = ended.error();
                if (!ended || *ended) break;
                const std::size_t so_far = basin.got.size();
                co_await loop.sleep(1ms);
                EXPECT_EQ(basin.got.size(), so_far) << "nothing is poured in a pause";
            }
            seen.body = basin.got;
            seen.pieces = basin.pieces;
            seen.unannounced = basin.unannounced;
            up->done();
            seen.idle = origin.idle();
        });
        return seen;
    }
};

TEST_F(PourTest, BodiesOfEveryFraming) {
    struct Case {
        std::vector<std::string> parts;
        bool close;
    };
    const std::vector<Case> cases{
        {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "def", "ghi"}, false},
        {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n", "3\r\ndef\r\n3\r\nghi\r\n",
          "0\r\n\r\n"},
         false},
        {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r", "\nab", "c\r\n6", "\r\ndef",
          "ghi\r\n0\r\n", "\r\n"},
         false},
        {{"HTTP/1.1 200 OK\r\n\r\n", "abc", "def", "ghi"}, true},
        {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcdefghi"}, false},
    };
    for (const auto& [parts, close] : cases)
        for (const int every : {0, 1, 2}) {
            const Seen seen = pour(parts, every, close);
            EXPECT_FALSE(seen.error) << parts.front() << ": " << seen.error->message;
            EXPECT_EQ(seen.body, "abcdefghi") << parts.front();
            EXPECT_EQ(seen.returns, 1 + (every == 0 ? 0 : seen.pieces / every)) << parts.front();
            EXPECT_EQ(seen.idle, close ? 0U : 1U) << parts.front();
            Peer drop(loop.io);
            loop.run([&]() -> Task<void> {  // empties the pool
                if (origin.idle() > 0) (void)co_await origin.connect(false);
            });
        }
}

TEST_F(PourTest, ReadsOfPiecesAreAnnounced) {
    const Seen seen = pour({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "def", "ghi"}, 0);
    EXPECT_EQ(seen.body, "abcdefghi");
    EXPECT_GE(seen.pieces, 3);
    EXPECT_EQ(seen.unannounced, 1) << "only the piece that was read with the head";
}

TEST_F(PourTest, TellsHowABodyWasCutShort) {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const auto kind = [&](std::vector<std::string> parts, bool close) {
        const Seen seen = pour(std::move(parts), 0, close);
        EXPECT_TRUE(seen.body.starts_with("abc")) << "what came before is not lost";
        EXPECT_EQ(seen.idle, 0U);
        return seen.error ? seen.error->kind : NetError::Kind::resolve;
    };
    EXPECT_EQ(kind({chunked, "3\r\nabc\r\n"}, true), NetError::Kind::closed);
    EXPECT_EQ(kind({chunked, "3\r\nabc\r\n", "nonsense\r\n"}, false), NetError::Kind::protocol);
    EXPECT_EQ(kind({chunked, "3\r\nabc\r\n"}, false), NetError::Kind::timeout);
    EXPECT_EQ(kind({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"}, true), NetError::Kind::closed);
}

TEST_F(PourTest, ATimeoutIsForEachPiece) {
    std::vector<std::string> parts{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"};
    for (int i = 0; i < 200; ++i) parts.emplace_back("1\r\nx\r\n");  // 600 ms and more, twice the time-out
    parts.emplace_back("0\r\n\r\n");
    const Seen seen = pour(parts, 0);
    EXPECT_FALSE(seen.error) << seen.error->message;
    EXPECT_EQ(seen.body, std::string(200, 'x'));
    EXPECT_EQ(seen.returns, 1);
}

TEST_F(PourTest, CanBeCancelledAndFailed) {
    for (const bool fails : {false, true})
        loop.run([&]() -> Task<void> {
            auto up = co_await origin.connect(true);
            Peer peer = co_await listener.accept();
            EXPECT_TRUE(co_await ask(*up));
            co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
            EXPECT_TRUE(co_await up->read_head(5s));
            Basin basin;
            const auto later = [&]() -> Task<void> {
                EXPECT_TRUE(co_await loop.until([&] { return basin.got == "abc"; }));
                basin.throws = fails;
                if (fails)
                    co_await peer.send("def");
                else
                    up->cancel();
            };
            loop.io.spawn(later());
            std::string thrown;
            NetError::Kind kind = NetError::Kind::resolve;
            try {
                const auto ended = co_await up->pour(basin, 5s);
                EXPECT_FALSE(ended);
                if (!ended) kind = ended.error().kind;
            } catch (const std::runtime_error& e) {
                thrown = e.what();
            }
            EXPECT_EQ(thrown, fails ? "the basin leaks" : "");
            EXPECT_EQ(kind, fails ? NetError::Kind::resolve : NetError::Kind::cancelled);
        });
}

TEST_F(PourTest, MayEndWithTheLoop) {
    Basin basin;
    bool waits = false;
    const auto task = [&]() -> Task<void> {
        auto up = co_await origin.connect(true);
        Peer peer = co_await listener.accept();
        EXPECT_TRUE(co_await ask(*up));
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        EXPECT_TRUE(co_await up->read_head(5s));
        waits = true;
        (void)co_await up->pour(basin, 5s);
        ADD_FAILURE() << "the body has no end";
    };
    loop.io.spawn(task());
    loop.run([&]() -> Task<void> {
        EXPECT_TRUE(co_await loop.until([&] { return waits && basin.got == "abc"; }));
    });
}  // the coroutine is destroyed while it waits

using WriteNowTest = ServerFixture;

TEST_F(WriteNowTest, WhatDoesNotGoOutAtOnceIsFlushed) {
    const std::string block(256 * 1024, 'x');
    int at_once = 0;
    int flushed = 0;
    listen([&](Exchange& x) -> Task<void> {
        x.start(200, "", std::nullopt);
        const std::array<std::string_view, 2> pieces{"begin ", block};
        for (int i = 0; i < 40; ++i) {
            EXPECT_GE(x.place_of_writing().size(), sizeof(std::string)) << "the head to be sent is in it";
            const auto sent = x.write_now({pieces.data(), i == 0 ? 1U : 2U});
            if (!sent) {
                ++flushed;
                const bool ok = co_await x.flush();
                EXPECT_TRUE(ok);
            } else {
                EXPECT_TRUE(*sent);
                ++at_once;
            }
        }
        co_await x.finish();
    });
    std::string received;
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        co_await loop.sleep(20ms);
        received = co_await peer.read_all();
    });
    EXPECT_GT(at_once, 0);
    EXPECT_GT(flushed, 0);
    EXPECT_EQ(std::count(received.begin(), received.end(), 'x'), 39 * 256 * 1024);
    EXPECT_TRUE(received.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(WriteNowTest, SaysThatTheClientLeft) {
    std::optional<bool> after = true;
    listen([&](Exchange& x) -> Task<void> {
        x.start(200, "", std::nullopt);
        const std::string_view piece = "x";
        EXPECT_EQ(x.write_now({&piece, 1}), true);
        EXPECT_TRUE(co_await loop.until([&] { return x.client_gone(); }));
        after = x.write_now({&piece, 1});
    });
    loop.run([&]() -> Task<void> {
        Peer peer = co_await client();
        co_await peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        (void)co_await peer.read_to("x");
        peer.close();
        EXPECT_TRUE(co_await loop.until([&] { return after != true; }));
    });
    EXPECT_EQ(after, false);
}

}  // namespace
}  // namespace spillway::http::test
