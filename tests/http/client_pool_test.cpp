// The client's pool, its time-outs, and how it is cancelled.
#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/client_fixture.hpp"

namespace spillway::http::test {
namespace {

constexpr std::string_view small_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

class PoolTest : public ClientTest {
protected:
    /// One exchange; the connection is in the pool afterwards, and its other end is returned.
    Task<Peer> pooled(Origin& from) {
        auto up = co_await from.connect(true);
        Peer peer = co_await listener.accept();
        co_await exchange(*up, peer);
        up->done();
        EXPECT_EQ(from.idle(), 1U);
        co_return peer;
    }
    static Task<void> exchange(Upstream& up, Peer& peer) {
        EXPECT_TRUE(co_await ask(up));
        (void)co_await peer.read_to("\r\n\r\n");
        co_await peer.send(small_answer);
        EXPECT_TRUE(co_await up.read_head(5s));
        EXPECT_EQ(co_await read_rest(up), "hi");
    }
};

TEST_F(PoolTest, DropsWhatThePeerClosed) {
    loop.run([&]() -> Task<void> {
        Peer peer = co_await pooled(origin);
        peer.close();
        EXPECT_TRUE(co_await loop.until([&] { return origin.idle() == 0; }));
    });
}

TEST_F(PoolTest, DropsWhoSpeaksUnasked) {
    loop.run([&]() -> Task<void> {
        Peer peer = co_await pooled(origin);
        co_await peer.send("HTTP/1.1 408 Request Timeout\r\n\r\n");
        EXPECT_TRUE(co_await loop.until([&] { return origin.idle() == 0; }));
        (void)co_await peer.read_all();
    });
}

TEST_F(PoolTest, DropsWhatIdlesTooLong) {
    OriginOptions o = options();
    o.idle_timeout = 50ms;
    Origin brief(loop.io, o);
    loop.run([&]() -> Task<void> {
        Peer peer = co_await pooled(brief);
        (void)co_await peer.read_all();
        EXPECT_EQ(brief.idle(), 0U);
    });
}

TEST_F(PoolTest, KeepsNoMoreThanItMay) {
    OriginOptions o = options();
    o.max_idle = 2;
    Origin few(loop.io, o);
    loop.run([&]() -> Task<void> {
        std::vector<Upstream> out;
        std::vector<Peer> peers;
        for (int i = 0; i < 4; ++i) {
            auto up = co_await few.connect(false);
            out.push_back(std::move(*up));
            peers.push_back(co_await listener.accept());
            co_await exchange(out.back(), peers.back());
        }
        for (Upstream& up : out) up.done();
        EXPECT_EQ(few.idle(), 2U);
        (void)co_await peers[2].read_all();
        (void)co_await peers[3].read_all();
    });
}

TEST_F(PoolTest, SaysClosedOfAStaleConnection) {
    loop.run([&]() -> Task<void> {
        Peer peer = co_await pooled(origin);
        auto up = co_await origin.connect(false);
        EXPECT_TRUE(up->reused());
        peer.close();  // crosses the request
        NetResult<const ResponseHead*> head = nullptr;
        if (co_await ask(*up)) {
            head = co_await up->read_head(5s);
            EXPECT_FALSE(head);
            if (!head) {
                EXPECT_EQ(head.error().kind, NetError::Kind::closed);
            }
        }
        up->done();
        EXPECT_EQ(origin.idle(), 0U);
        auto fresh = co_await origin.connect(true);
        EXPECT_FALSE(fresh->reused());
    });
}

TEST_F(PoolTest, ABackendThatBeganToAnswerHasGotTheRequest) {
    for (const std::string_view begun : {"HTTP/1.1 200 OK\r\ncontent-ty", "HTTP/1.1 102 Processing\r\n\r\n"})
        loop.run([&]() -> Task<void> {
            Peer peer = co_await pooled(origin);
            auto up = co_await origin.connect(false);
            EXPECT_TRUE(up->reused());
            EXPECT_TRUE(co_await ask(*up));
            EXPECT_TRUE(co_await peer.send(begun));
            peer.close();
            const auto head = co_await up->read_head(5s);
            EXPECT_FALSE(head);
            if (!head) {
                EXPECT_EQ(head.error().kind, NetError::Kind::protocol) << begun;
            }
            up->done();
        });
}

TEST_F(PoolTest, ClosesWhenItsOriginGoes) {
    loop.run([&]() -> Task<void> {
        auto going = std::make_unique<Origin>(loop.io, options());
        Peer idle = co_await pooled(*going);
        auto up = co_await going->connect(true);
        Peer busy = co_await listener.accept();
        going.reset();
        (void)co_await idle.read_all();
        co_await exchange(*up, busy);
        up->done();
        (void)co_await busy.read_all();
    });
}

TEST_F(ClientTest, SaysWhenNobodyListens) {
    listener.acceptor.close();
    loop.run([&]() -> Task<void> {
        const auto up = co_await origin.connect(false);
        EXPECT_FALSE(up);
        EXPECT_EQ(up.error().kind, NetError::Kind::connect);
    });
}

TEST_F(ClientTest, SaysWhenANameIsUnknown) {
    OriginOptions o = options();
    o.host = "no-such-host.invalid";  // RFC 6761 §6.4
    Origin nowhere(loop.io, o);
    loop.run([&]() -> Task<void> {
        for (int i = 0; i < 2; ++i) {
            const auto up = co_await nowhere.connect(false);
            EXPECT_FALSE(up);
            EXPECT_TRUE(up.error().kind == NetError::Kind::resolve ||
                        up.error().kind == NetError::Kind::timeout);
        }
    });
}

TEST_F(ClientTest, FindsAName) {
    OriginOptions o = options();
    o.host = "localhost";
    Origin named(loop.io, o);
    loop.run([&]() -> Task<void> {
        int connected = 0;
        for (int i = 0; i < 3; ++i)
            loop.io.spawn([&]() -> Task<void> {
                const auto up = co_await named.connect(true);
                if (up) ++connected;
            });
        EXPECT_TRUE(co_await loop.until([&] { return connected == 3; }));
    });
}

/// A listener whose queue is full: further connections neither succeed nor fail.
class FullListener {
public:
    explicit FullListener(spillway::Loop& io) : acceptor_(io) {
        EXPECT_TRUE(acceptor_.listen({.host = "127.0.0.1", .port = 0}, 0));
        const Endpoint end = *Endpoint::parse("127.0.0.1", acceptor_.port());
        for (int i = 0; i < 4; ++i) {
            std::error_code ec;
            fill_.push_back(make_socket(end, ec));
            (void)::connect(fill_.back().get(), end.address(), end.size());
        }
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.port(); }

private:
    Acceptor acceptor_;
    std::vector<FileDescriptor> fill_;
};

TEST_F(ClientTest, ConnectingTakesNoLongerThanItMay) {
    FullListener full(loop.io);
    OriginOptions o = options();
    o.port = full.port();
    o.connect_timeout = 100ms;
    Origin slow(loop.io, o);
    loop.run([&]() -> Task<void> {
        const Mono start = mono_now();
        const auto up = co_await slow.connect(false);
        EXPECT_FALSE(up);
        EXPECT_EQ(up.error().kind, NetError::Kind::timeout);
        EXPECT_GE(mono_now() - start, Duration(100ms));
        EXPECT_LT(mono_now() - start, Duration(2s));
    });
}

TEST_F(ClientTest, ConnectingCanBeCancelled) {
    FullListener full(loop.io);
    OriginOptions o = options();
    o.port = full.port();
    Origin slow(loop.io, o);
    loop.run([&]() -> Task<void> {
        ConnectCancel cancel;
        Timeout timer([&] { cancel.cancel(); });
        loop.io.wheel().arm(timer, 20ms);
        const Mono start = mono_now();
        const auto up = co_await slow.connect(false, cancel);
        EXPECT_FALSE(up);
        EXPECT_EQ(up.error().kind, NetError::Kind::cancelled);
        EXPECT_LT(mono_now() - start, Duration(2s));
        const auto again = co_await origin.connect(false, cancel);
        EXPECT_FALSE(again) << "cancelled once and for all";
    });
}

TEST_F(ClientTest, LookingUpCanBeCancelled) {
    OriginOptions o = options();
    o.host = "localhost";
    Origin named(loop.io, o);
    loop.run([&]() -> Task<void> {
        ConnectCancel cancel;
        loop.io.post([&] { cancel.cancel(); });
        const auto up = co_await named.connect(false, cancel);
        if (!up) {
            EXPECT_EQ(up.error().kind, NetError::Kind::cancelled);
        }
    });
}

TEST_F(ClientTest, WaitsNoLongerThanItMay) {
    loop.run([&]() -> Task<void> {
        {
            auto up = co_await origin.connect(true);
            Peer peer = co_await listener.accept();
            EXPECT_TRUE(co_await ask(*up));
            const auto head = co_await up->read_head(50ms);
            EXPECT_FALSE(head);
            if (!head) {
                EXPECT_EQ(head.error().kind, NetError::Kind::timeout);
            }
            (void)co_await peer.read_all();  // closed by the client
        }
        {
            auto up = co_await origin.connect(true);
            Peer peer = co_await listener.accept();
            EXPECT_TRUE(co_await ask(*up));
            co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nsome");
            EXPECT_TRUE(co_await up->read_head(5s));
            const auto first = co_await up->read_body(5s);
            EXPECT_EQ(*first, "some");
            const auto second = co_await up->read_body(50ms);
            EXPECT_FALSE(second);
            if (!second) {
                EXPECT_EQ(second.error().kind, NetError::Kind::timeout);
            }
        }
        {
            auto up = co_await origin.connect(true);
            Peer peer = co_await listener.accept();
            const std::string large(50'000'000, 'x');
            const std::string_view all = large;
            const auto sent = co_await up->send(std::span(&all, 1), 100ms);  // nobody reads
            EXPECT_FALSE(sent);
            if (!sent) {
                EXPECT_EQ(sent.error().kind, NetError::Kind::timeout);
            }
        }
        EXPECT_EQ(origin.idle(), 0U);
    });
}

TEST_F(ClientTest, EveryOperationCanBeCancelled) {
    loop.run([&]() -> Task<void> {
        for (int step = 0; step < 4; ++step) {
            auto up = co_await origin.connect(true);
            Peer peer = co_await listener.accept();
            Timeout timer([&] { up->cancel(); });
            loop.io.wheel().arm(timer, 20ms);
            const std::string large(step == 0 ? 50'000'000 : 100, 'x');
            const std::string_view all = large;
            const auto sent = co_await up->send(std::span(&all, 1), 5s);
            std::optional<NetError> error;
            if (!sent) error = sent.error();
            if (step >= 1) {
                if (step >= 2) co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
                if (step == 3) co_await loop.sleep(40ms);  // cancelled while nothing is pending
                const auto head = co_await up->read_head(5s);
                if (!head) error = head.error();
                if (step == 2) {
                    EXPECT_TRUE(head);
                    const auto piece = co_await up->read_body(5s);
                    if (!piece) error = piece.error();
                }
                if (step == 3 && head) {
                    const auto piece = co_await up->read_body(5s);
                    if (!piece) error = piece.error();
                }
            }
            EXPECT_TRUE(error) << step;
            if (error) {
                EXPECT_EQ(error->kind, NetError::Kind::cancelled) << step;
            }
            up->cancel();  // again does no harm
            up->done();
            EXPECT_EQ(origin.idle(), 0U);
        }
    });
}

TEST_F(ClientTest, DestroyedInTheMidstOfAnAnswerItClosesAtOnce) {
    loop.run([&]() -> Task<void> {
        std::optional<Upstream> up;
        auto connected = co_await origin.connect(false);
        up.emplace(std::move(*connected));
        Peer peer = co_await listener.accept();
        EXPECT_TRUE(co_await ask(*up));
        (void)co_await peer.read_to("\r\n\r\n");
        co_await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        EXPECT_TRUE(co_await up->read_head(5s));
        EXPECT_EQ(*co_await up->read_body(5s), "a");
        const Mono start = mono_now();
        up.reset();
        (void)co_await peer.read_all();
        EXPECT_LT(mono_now() - start, Duration(500ms));
    });
}

}  // namespace
}  // namespace spillway::http::test
