// What a client of HTTP/2 may not do, and what becomes of it.
#include "base/task.hpp"
#include "http/http2_fixture.hpp"

namespace spillway::http::test {
namespace {

TEST_F(Http2Test, NoMoreStreamsThanAllowed) {
    limits.max_streams = 2;
    int most = 0;
    int now = 0;
    listen([&](Exchange& x) -> Task<void> {
        most = std::max(most, ++now);
        co_await loop.sleep(20ms);
        --now;
        co_await x.respond(200, {}, "");
    });
    with_client([&](const Client& peer) -> Task<void> {
        for (int i = 0; i < 6; ++i) peer->ask("GET", "/");
        EXPECT_TRUE(co_await loop.until([&] {
            return peer->answers.size() == 6 && std::all_of(peer->answers.begin(), peer->answers.end(),
                                                            [](const auto& a) { return a.second.closed; });
        }));
        EXPECT_EQ(most, 2);
    });
}

TEST_F(Http2Test, ASlowClientHoldsTheWriter) {
    std::size_t written = 0;
    listen([&](Exchange& x) -> Task<void> {
        if (x.request().target == "/quick") {
            co_await x.respond(200, {}, "quick");
            co_return;
        }
        x.start(200, "", std::nullopt);
        const std::string piece(10'000, 'x');
        for (int i = 0; i < 10; ++i) {
            const bool ok = co_await x.write(piece);
            if (ok) written += piece.size();
        }
        co_await x.finish();
    });
    with_client(
        [&](const Client& peer) -> Task<void> {
            const auto id = peer->ask("GET", "/");
            EXPECT_TRUE(co_await loop.until([&] { return peer->answers[id].body.size() == 65'535; }));
            co_await loop.sleep(20ms);
            EXPECT_EQ(written, 60'000U);
            peer->open_window(id, 65'535);
            EXPECT_TRUE(co_await closed(peer, id));
            EXPECT_EQ(peer->answers[id].body.size(), 100'000U);
        },
        false);
}

TEST_F(Http2Test, AClientThatStopsReadingIsResetInTime) {
    limits.write_timeout = 100ms;
    bool gone = false;
    bool ok = true;
    listen([&](Exchange& x) -> Task<void> {
        x.on_gone([&] { gone = true; });
        x.start(200, "", std::nullopt);
        const std::string piece(100'000, 'x');
        ok = co_await x.write(piece);
        EXPECT_TRUE(x.client_gone());
    });
    with_client(
        [&](const Client& peer) -> Task<void> {
            const auto id = peer->ask("GET", "/");
            EXPECT_TRUE(co_await closed(peer, id));
            EXPECT_EQ(peer->answers[id].error, NGHTTP2_CANCEL);
            EXPECT_TRUE(co_await loop.until([&] { return gone && !ok; }));
        },
        false);
}

TEST_F(Http2Test, LimitsOnHeadAndBody) {
    limits.max_head_bytes = 2000;
    limits.max_body_bytes = 10'000;
    int served = 0;
    listen([&](Exchange& x) {
        ++served;
        return echo(x);
    });
    with_client([&](const Client& peer) -> Task<void> {
        const auto head = peer->ask("GET", "/", "", {{"x-large", std::string(2000, 'x')}});
        const auto body = peer->ask("POST", "/", std::string(2'000'000, 'x'));
        const auto claimed = peer->ask("POST", "/", "x", {{"content-length", "10001"}}, false);
        const auto fits = peer->ask("POST", "/", std::string(10'000, 'x'));
        for (const auto id : {head, body, claimed, fits}) EXPECT_TRUE(co_await closed(peer, id)) << id;
        EXPECT_EQ(peer->answers[head].status, 431);
        EXPECT_NE(peer->answers[head].body.find("request_head_too_large"), std::string::npos);
        EXPECT_EQ(peer->answers[body].status, 413);
        EXPECT_NE(peer->answers[body].body.find("request_too_large"), std::string::npos);
        EXPECT_EQ(peer->answers[body].error, NGHTTP2_NO_ERROR);
        EXPECT_EQ(peer->answers[claimed].status, 413);
        EXPECT_EQ(peer->answers[fits].status, 200);
        EXPECT_EQ(served, 1);
    });
}

TEST_F(Http2Test, TimeLimits) {
    limits.body_timeout = 50ms;
    limits.keep_alive_timeout = 200ms;
    listen([](Exchange& x) { return echo(x); });
    with_client([&](const Client& peer) -> Task<void> {
        const auto id = peer->ask("POST", "/", "begun", {}, false);
        EXPECT_TRUE(co_await closed(peer, id));
        EXPECT_EQ(peer->answers[id].status, 408);
        EXPECT_TRUE(co_await loop.until([&] { return peer->ended; }));
        EXPECT_EQ(peer->goaways, 1);
    });
}

TEST_F(Http2Test, CancelledWorkCountsAndWhoCancelsTooOftenIsCutOff) {
    limits.max_streams = 10;
    int now = 0;
    int most = 0;
    bool stop = false;
    listen([&](Exchange& x) -> Task<void> {
        most = std::max(most, ++now);
        co_await loop.until([&] { return stop; });
        --now;
        co_await x.respond(200, {}, "");
    });
    with_client([&](const Client& peer) -> Task<void> {
        for (int i = 0; i < 400 && !peer->ended; ++i) {
            const auto id = peer->ask("GET", "/");
            co_await loop.sleep(0ms);
            peer->reset(id);
        }
        EXPECT_TRUE(co_await loop.until([&] { return peer->ended; }));
        EXPECT_EQ(peer->goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
        EXPECT_GT(most, 5);
        EXPECT_LE(most, 20);
        stop = true;
    });
}

TEST_F(Http2Test, ResetsThatAClientProvokesCountAsItsOwn) {
    listen([&](Exchange& x) -> Task<void> {
        co_await loop.sleep(100ms);
        co_await x.respond(200, {}, "");
    });
    with_client([&](const Client& peer) -> Task<void> {
        for (int i = 0; i < 400 && !peer->ended; ++i) {
            const auto id = peer->ask("GET", "/");
            EXPECT_TRUE(co_await loop.until([&] { return !peer->writing; }));
            co_await peer->send(Http2Client::frame(NGHTTP2_WINDOW_UPDATE, 0, id, "\x7f\xff\xff\xff"));
            EXPECT_TRUE(co_await loop.until([&] { return peer->answers[id].closed || peer->ended; }));
        }
        EXPECT_TRUE(co_await loop.until([&] { return peer->ended; }));
        EXPECT_EQ(peer->goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
    });
}

TEST_F(Http2Test, EndlessFieldsAreCutOff) {
    limits.max_head_bytes = 2000;
    limits.head_timeout = 300ms;
    listen([](Exchange& x) { return echo(x); });
    const auto head = [](char flags) {
        return Http2Client::frame(NGHTTP2_HEADERS, flags, 1, "\x82\x84\x87\x01\x01g");
    };
    const auto more = [](std::size_t fields) {
        std::string payload;
        for (std::size_t i = 0; i < fields; ++i)
            payload += std::string("\0\1x\x64", 4) + std::string(100, 'x');
        return Http2Client::frame(NGHTTP2_CONTINUATION, 0, 1, payload);
    };
    std::string none;
    for (int i = 0; i < 1000; ++i) none += more(0);
    const std::string trailers = Http2Client::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, "");
    const std::array<std::string, 4> floods{
        head(0) + more(150),                                    // fields
        head(NGHTTP2_FLAG_END_HEADERS) + trailers + more(150),  // trailer fields
        head(0) + none,                                         // frames
        head(0),                                                // silence
    };
    for (const std::string& flood : floods) {
        with_client([&](const Client& peer) -> Task<void> {
            (void)co_await loop.until([&] { return !peer->writing; });
            co_await peer->send(flood);
            EXPECT_TRUE(co_await loop.until([&] { return peer->ended; }));
            EXPECT_TRUE(peer->goaways > 0 || flood == floods[2]);
        });
    }
}

TEST_F(Http2Test, MalformedRequestsAreRefused) {
    int served = 0;
    listen([&](Exchange& x) {
        ++served;
        return echo(x);
    });
    with_client([&](const Client& peer) -> Task<void> {
        // RFC 9113 §8.1.1, §8.2
        const std::vector<Http2Client::Pairs> reset{
            {{"connection", "close"}},
            {{"transfer-encoding", "chunked"}},
            {{"keep-alive", "5"}},
            {{"te", "gzip"}},
            {{"X-Upper", "1"}},
            {{":method", "GET"}},
            {{"content-length", "3"}},
            {{"content-length", "5"}},
            {{"content-length", "+4"}},
            {{":status", "200"}},
            {{"x-one", "1"}, {":path", "/"}},
            {{"host", "a"}, {"host", "a"}},
        };
        for (const auto& fields : reset) {
            const auto id = peer->ask("POST", "/", "body", fields);
            EXPECT_TRUE(co_await closed(peer, id));
            EXPECT_EQ(peer->answers[id].error, NGHTTP2_PROTOCOL_ERROR) << fields.front().first;
        }
        for (const std::string path : {"", "relative", "/a b", "/a\nb", "*"}) {
            const auto id = peer->ask("POST", path, "body");
            EXPECT_TRUE(co_await closed(peer, id));
            EXPECT_EQ(peer->answers[id].error, NGHTTP2_PROTOCOL_ERROR) << path;
        }
        const std::vector<Http2Client::Pairs> answered{
            {{"x-one", "a\nb"}}, {{"x-one", std::string("a\0b", 3)}}, {{"x one", "1"}}, {{"host", "other"}}};
        for (const auto& fields : answered) {
            const auto id = peer->ask("POST", "/", "body", fields);
            EXPECT_TRUE(co_await closed(peer, id));
            EXPECT_EQ(peer->answers[id].status, 400) << fields.front().first;
        }
        EXPECT_EQ(served, 0);
        const auto id = peer->ask("POST", "/", "body", {{"te", "trailers"}, {"host", "Gateway.test"}});
        EXPECT_TRUE(co_await closed(peer, id));
        EXPECT_EQ(peer->answers[id].body, "body");
        EXPECT_EQ(served, 1);
    });
}

TEST_F(Http2Test, TrailerFieldsArePassedOver) {
    listen([](Exchange& x) {
        EXPECT_FALSE(x.request().fields.has("x-late"));
        return echo(x);
    });
    with_client([&](const Client& peer) -> Task<void> {
        for (const std::string value : {"1", "a\nb"}) {
            const auto id = peer->ask("POST", "/", "body", {}, false);
            EXPECT_TRUE(co_await loop.until([&] { return peer->answers[id].sent == 4; }));
            std::string name = "x-late";
            std::string text = value;
            const nghttp2_nv field{reinterpret_cast<std::uint8_t*>(name.data()),
                                   reinterpret_cast<std::uint8_t*>(text.data()), name.size(), text.size(),
                                   NGHTTP2_NV_FLAG_NONE};
            nghttp2_submit_headers(peer->session, NGHTTP2_FLAG_END_STREAM, id, nullptr, &field, 1, nullptr);
            peer->flush();
            EXPECT_TRUE(co_await closed(peer, id));
            EXPECT_EQ(peer->answers[id].status, value == "1" ? 200 : 400);
        }
    });
}

TEST_F(Http2Test, WhatIsNotHttp2IsCutOff) {
    listen([](Exchange& x) { return echo(x); });
    loop.run([&]() -> Task<void> {
        auto peer = std::make_shared<Http2Client>(loop.io);
        (void)co_await peer->connect(server->port());
        const std::string request = get("/");
        (void)co_await peer->stream.write(request);
        EXPECT_TRUE(co_await loop.until([&] { return server->connections() == 0; }));
        peer->close();
    });
}

}  // namespace
}  // namespace spillway::http::test
