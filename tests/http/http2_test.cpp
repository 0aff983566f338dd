// HTTP/2 through TLS, against nghttp2's client: requests and answers.
#include "base/task.hpp"
#include "http/fetch.hpp"
#include "http/http2_fixture.hpp"

namespace spillway::http::test {
namespace {

TEST_F(Http2Test, WhoDoesNotAskForItGetsHttp1) {
    unsigned version = 0;
    listen([&](Exchange& x) {
        version = x.request().version;
        return echo(x);
    });
    loop.run([&]() -> Task<void> {
        OriginOptions options;
        options.host = "127.0.0.1";
        options.port = server->port();
        options.tls = true;
        options.tls_ca_file = certificate.cert();
        options.tls_server_name = "gateway.test";
        Origin origin(loop.io, options);
        const auto answer = co_await fetch(origin, "POST", "/", {}, "x", 5s);
        EXPECT_TRUE(answer);
        EXPECT_EQ(version, 11U);
        const std::map<std::string, std::string> offers{
            {"\10http/1.1", "http/1.1"},
            {"\10http/1.1\2h2", "h2"},
            {"\3foo", "tlsv1 alert no application protocol"},
        };
        for (const auto& [offer, outcome] : offers) {
            auto peer = std::make_shared<Http2Client>(loop.io);
            const std::string agreed = co_await peer->connect(server->port(), offer);
            EXPECT_TRUE(agreed.starts_with(outcome)) << agreed;
            peer->close();
        }
    });
}

TEST_F(Http2Test, AHandlerSeesARequestAsAnyOther) {
    listen([&](Exchange& x) -> Task<void> {
        const RequestHead& head = x.request();
        EXPECT_EQ(head.method, "POST");
        EXPECT_EQ(head.target, "/a?b");
        EXPECT_EQ(head.version, 20U);
        EXPECT_EQ(head.fields.get("host"), "gateway.test");
        EXPECT_EQ(head.fields.get("x-one"), "1");
        EXPECT_EQ(head.fields.get("cookie"), "a=1; b=2");
        EXPECT_EQ(head.framing, Framing::length);
        EXPECT_EQ(head.content_length, 5U);
        for (const Field& f : head.fields)
            EXPECT_EQ(f.line(), std::string(f.name) + ": " + std::string(f.value) + "\r\n");
        EXPECT_EQ(x.body(), "hello");
        EXPECT_TRUE(x.peer().starts_with("127.0.0.1:"));
        x.start(201, "X-Two: 2\r\nConnection: close\r\nKeep-Alive: 5\r\nTransfer-Encoding: chunked\r\n", 4);
        EXPECT_TRUE(co_await x.write("an"));
        EXPECT_TRUE(x.started());
        EXPECT_TRUE(co_await x.finish("sw"));
        EXPECT_FALSE(co_await x.write("more"));
    });
    with_client([&](const Client& peer) -> Task<void> {
        const auto id =
            peer->ask("POST", "/a?b", "hello", {{"x-one", "1"}, {"cookie", "a=1"}, {"cookie", "b=2"}});
        EXPECT_TRUE(co_await closed(peer, id));
        const Http2Answer& a = peer->answers[id];
        EXPECT_EQ(a.status, 201);
        EXPECT_EQ(a.body, "answ");
        EXPECT_EQ(a.error, NGHTTP2_NO_ERROR);
        const std::map<std::string, std::string> fields{{"content-length", "4"}, {"x-two", "2"}};
        EXPECT_EQ(a.fields, fields);
    });
}

TEST_F(Http2Test, BodiesLargerThanTheWindowsGoBothWays) {
    listen([](Exchange& x) -> Task<void> {
        x.start(200, "", std::nullopt);
        const std::array<std::string_view, 4> pieces{"<", "", x.body(), ">"};
        EXPECT_TRUE(co_await x.write(pieces));
        EXPECT_TRUE(co_await x.finish());
        EXPECT_GT(x.bytes_sent(), x.body().size());
    });
    with_client([&](const Client& peer) -> Task<void> {
        std::string large(7'000'000, 0);
        for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i % 251);
        const auto one = peer->ask("POST", "/", large);
        const auto two = peer->ask("POST", "/", large);
        EXPECT_TRUE(co_await closed(peer, one));
        EXPECT_TRUE(co_await closed(peer, two));
        EXPECT_TRUE(peer->answers[one].body == "<" + large + ">");
        EXPECT_TRUE(peer->answers[two].body == "<" + large + ">");
    });
}

TEST_F(Http2Test, ManyStreamsAtOnce) {
    int most = 0;
    int now = 0;
    listen([&](Exchange& x) -> Task<void> {
        most = std::max(most, ++now);
        co_await loop.until([&] { return most == 50; });
        --now;
        const std::string body(x.request().target);
        co_await x.respond(200, {}, body);
    });
    with_client([&](const Client& peer) -> Task<void> {
        std::map<std::int32_t, std::string> asked;
        for (int i = 0; i < 50; ++i) {
            const std::string path = "/" + std::to_string(i);
            asked[peer->ask("GET", path)] = path;
        }
        for (const auto& [id, path] : asked) {
            EXPECT_TRUE(co_await closed(peer, id));
            EXPECT_EQ(peer->answers[id].body, path);
        }
        EXPECT_EQ(most, 50);
    });
}

TEST_F(Http2Test, PiecesArriveOneByOne) {
    int next = 0;
    listen([&](Exchange& x) -> Task<void> {
        x.start(200, "content-type: text/event-stream\r\n", std::nullopt);
        for (int i = 1; i <= 3; ++i) {
            const bool asked = co_await loop.until([&] { return next >= i; });
            EXPECT_TRUE(asked);
            co_await x.write("data");
        }
        co_await x.finish();
    });
    with_client([&](const Client& peer) -> Task<void> {
        const auto id = peer->ask("GET", "/");
        for (std::size_t i = 1; i <= 3; ++i) {
            ++next;
            EXPECT_TRUE(co_await loop.until([&] { return peer->answers[id].pieces.size() == i; }));
        }
        EXPECT_TRUE(co_await closed(peer, id));
        EXPECT_EQ(peer->answers[id].body, "datadatadata");
    });
}

TEST_F(Http2Test, OneStreamIsCancelledAndTheOtherGoesOn) {
    int gone = 0;
    int over = 0;
    bool stop = false;
    listen([&](Exchange& x) -> Task<void> {
        x.on_gone([&] { ++gone; });
        x.start(200, "", std::nullopt);
        bool ok = true;
        while (ok && !stop) {
            ok = co_await x.write("xxx");
            co_await loop.sleep(1ms);
        }
        EXPECT_EQ(x.client_gone(), !ok);
        if (ok) co_await x.finish("end");
        ++over;
    });
    with_client([&](const Client& peer) -> Task<void> {
        const auto one = peer->ask("GET", "/");
        const auto two = peer->ask("GET", "/");
        EXPECT_TRUE(co_await loop.until(
            [&] { return !peer->answers[one].body.empty() && !peer->answers[two].body.empty(); }));
        peer->reset(one);
        EXPECT_TRUE(co_await loop.until([&] { return gone == 1 && over == 1; }));
        stop = true;
        EXPECT_TRUE(co_await closed(peer, two));
        EXPECT_TRUE(peer->answers[two].body.ends_with("end"));
        EXPECT_EQ(gone, 1);
    });
}

TEST_F(Http2Test, AClosedConnectionIsToldToAllHandlers) {
    int gone = 0;
    listen([&](Exchange& x) -> Task<void> {
        x.on_gone([&] { ++gone; });
        (void)co_await loop.until([&] { return x.client_gone(); });
        EXPECT_FALSE(co_await x.respond(200, {}, "late"));
    });
    with_client([&](const Client& peer) -> Task<void> {
        for (int i = 0; i < 3; ++i) peer->ask("GET", "/");
        co_await loop.sleep(20ms);
    });
    EXPECT_EQ(gone, 3);
}

TEST_F(Http2Test, AnswersWithoutBodyAndWithout) {
    listen([](Exchange& x) -> Task<void> {
        const auto& target = x.request().target;
        if (target == "/204") {
            co_await x.respond(204, {}, "");
        } else if (target == "/throws") {
            throw std::runtime_error("a test");
        } else if (target == "/cut") {
            x.start(200, "", std::nullopt);
            co_await x.write("half");
        } else if (target == "/abort") {
            x.on_gone([] { FAIL() << "not the client's doing"; });
            x.start(200, "", std::nullopt);
            co_await x.write("half");
            x.abort();
            EXPECT_FALSE(co_await x.write("more"));
        } else if (target == "/short") {
            x.start(200, "", 10);
            co_await x.write("half");
            EXPECT_FALSE(co_await x.finish());
        } else {
            x.start(200, "", 9);
            EXPECT_TRUE(co_await x.write("some"));
            EXPECT_TRUE(co_await x.finish("thing"));
        }
    });
    with_client([&](const Client& peer) -> Task<void> {
        const auto head = peer->ask("HEAD", "/");
        const auto none = peer->ask("GET", "/204");
        const auto throws = peer->ask("GET", "/throws");
        const auto cut = peer->ask("GET", "/cut");
        const auto aborted = peer->ask("GET", "/abort");
        const auto shorter = peer->ask("GET", "/short");
        const auto waits = peer->ask("POST", "/", "body", {{"expect", "100-continue"}});
        for (const auto id : {head, none, throws, cut, aborted, shorter, waits})
            EXPECT_TRUE(co_await closed(peer, id)) << id;
        EXPECT_EQ(peer->answers[head].fields["content-length"], "9");
        EXPECT_EQ(peer->answers[head].body, "");
        EXPECT_EQ(peer->answers[none].status, 204);
        EXPECT_EQ(peer->answers[throws].status, 500);
        for (const auto id : {cut, aborted, shorter})
            EXPECT_EQ(peer->answers[id].error, NGHTTP2_INTERNAL_ERROR) << id;
        EXPECT_EQ(peer->answers[waits].body, "something");
    });
}

TEST_F(Http2Test, DrainingLetsTheLastStreamEnd) {
    bool stop = false;
    listen([&](Exchange& x) -> Task<void> {
        if (x.request().target == "/long") co_await loop.until([&] { return stop; });
        co_await x.respond(200, {}, "done");
    });
    with_client([&](const Client& peer) -> Task<void> {
        Client idle = co_await client();
        const auto id = peer->ask("GET", "/long");
        co_await loop.sleep(20ms);
        server->drain();
        const auto late = peer->ask("GET", "/");  // the client does not know yet
        EXPECT_TRUE(co_await closed(peer, late));
        EXPECT_EQ(peer->answers[late].status, 200);
        EXPECT_TRUE(co_await loop.until([&] { return peer->goaways == 2; }));
        EXPECT_EQ(peer->goaway_code, NGHTTP2_NO_ERROR);
        EXPECT_TRUE(co_await loop.until([&] { return idle->ended; }));
        idle->close();
        EXPECT_FALSE(peer->ended);
        stop = true;
        EXPECT_TRUE(co_await closed(peer, id));
        EXPECT_EQ(peer->answers[id].body, "done");
        EXPECT_TRUE(co_await loop.until([&] { return peer->ended; }));
    });
}

/// For the sanitizers: no ring of coroutines that wait for themselves is left.
TEST_F(Http2Test, AnAbandonedContextLeavesNothing) {
    auto held = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = held;
    {
        spillway::Loop io;
        ServerLimits some;
        Server abandoned(io, some, [held](Exchange& x) -> Task<void> {
            const auto own = held;
            x.start(200, "", std::nullopt);
            const std::string piece(1'000'000, 'x');
            ++*own;
            for (;;) co_await x.write(piece);
        });
        ASSERT_TRUE(abandoned.use_tls(certificate.cert(), certificate.key()));
        ASSERT_TRUE(abandoned.listen(Listen{}));
        auto peer = std::make_shared<Http2Client>(io, false);
        io.spawn([&]() -> Task<void> {
            (void)co_await peer->connect(abandoned.port());
            peer->begin();
            peer->ask("GET", "/");
            peer->ask("GET", "/");
            Timer timer(io);
            (void)co_await timer.sleep_for(50ms);
            io.stop();
        });
        held.reset();
        io.run_for(5s);
        EXPECT_EQ(*watch.lock(), 2);
    }
    EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace spillway::http::test
