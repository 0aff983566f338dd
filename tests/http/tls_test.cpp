// TLS on both sides, with certificates made here.
#include "base/task.hpp"
#include "http/certificate.hpp"
#include "http/fetch.hpp"
#include "http/support.hpp"

namespace spillway::http::test {
namespace {

class TlsTest : public ::testing::Test {
protected:
    TlsTest() {
        EXPECT_TRUE(server.use_tls(certificate.cert(), certificate.key()));
        EXPECT_TRUE(server.listen(Listen{}));
        options.host = "127.0.0.1";
        options.port = server.port();
        options.tls = true;
        options.tls_ca_file = certificate.cert();
        options.tls_server_name = "gateway.test";
    }
    Task<void> serve(Exchange& x) {
        if (x.request().target == "/stream") {
            x.on_gone([this] { gone = true; });
            x.start(200, "", std::nullopt);
            bool ok = true;
            while (ok) {
                ok = co_await x.write("xxx");
                co_await loop.sleep(1ms);
            }
        } else if (x.request().target == "/pieces") {
            x.start(200, "", std::nullopt);
            const std::string large(300'000, 'a');
            const std::array<std::string_view, 3> pieces{"<", large, ">"};
            co_await x.write(pieces);
            co_await x.finish();
        } else {
            co_await x.respond(200, {}, x.body());
        }
    }
    NetResult<FetchedAnswer> ask(std::string_view method, std::string_view target, std::string_view body) {
        Origin origin(loop.io, options);
        NetResult<FetchedAnswer> answer = NetError{};
        loop.run([&]() -> Task<void> {
            answer = co_await fetch(origin, method, target, {}, body, 10s, 10'000'000);
        });
        return answer;
    }
    NetError::Kind refusal() {
        const auto answer = ask("GET", "/", "");
        EXPECT_FALSE(answer);
        return answer ? NetError::Kind::closed : answer.error().kind;
    }
    Loop loop;
    Certificate certificate{"gateway.test"};
    Server server{loop.io, {}, [this](Exchange& x) { return serve(x); }};
    OriginOptions options;
    bool gone = false;
};

TEST_F(TlsTest, CarriesBothWays) {
    const std::string large(2'000'000, 'b');
    const auto answer = ask("POST", "/", large);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, large);
    const auto pieces = ask("GET", "/pieces", "");
    ASSERT_TRUE(pieces) << pieces.error().message;
    EXPECT_EQ(pieces->body.size(), 300'002U);
}

TEST_F(TlsTest, UsesAConnectionAgain) {
    Origin origin(loop.io, options);
    loop.run([&]() -> Task<void> {
        for (int i = 0; i < 5; ++i) {
            const auto answer = co_await fetch(origin, "GET", "/", {}, {}, 5s);
            EXPECT_TRUE(answer);
            EXPECT_EQ(origin.idle(), 1U);
            EXPECT_EQ(server.connections(), 1U);
        }
        server.drain();
        EXPECT_TRUE(co_await loop.until([&] { return origin.idle() == 0; }));
    });
}

TEST_F(TlsTest, AHandshakeUnderWayWhenTheServerDrainsIsFinishedAndItsRequestAnswered) {
    Origin origin(loop.io, options);
    NetResult<FetchedAnswer> answer = NetError{};
    bool done = false;
    const auto ask_once = [&]() -> Task<void> {
        answer = co_await fetch(origin, "GET", "/", {}, {}, 5s);
        done = true;
    };
    loop.run([&]() -> Task<void> {
        loop.io.spawn(ask_once());
        EXPECT_TRUE(co_await loop.until([&] { return server.connections() == 1; }));
        server.drain();
        EXPECT_TRUE(co_await loop.until([&] { return done; }));
    });
    EXPECT_TRUE(answer) << answer.error().message;
}

TEST_F(TlsTest, RefusesTheWrongNameAndWhomNobodyVouchesFor) {
    options.tls_server_name = "other.test";
    EXPECT_EQ(refusal(), NetError::Kind::tls);
    options.tls_server_name = "gateway.test";
    options.tls_ca_file.clear();  // the system's authorities do not know it
    EXPECT_EQ(refusal(), NetError::Kind::tls);
    const Certificate other("gateway.test");
    options.tls_ca_file = other.cert();
    EXPECT_EQ(refusal(), NetError::Kind::tls);
    options.tls_ca_file = "/no/such/file";
    EXPECT_EQ(refusal(), NetError::Kind::tls);
}

TEST_F(TlsTest, TakesAnyoneWhenToldTo) {
    options.tls_verify = false;
    options.tls_ca_file.clear();
    options.tls_server_name = "whatever";
    EXPECT_TRUE(ask("GET", "/", "x"));
}

TEST_F(TlsTest, PlainTextIsNoHandshake) {
    loop.run([&]() -> Task<void> {
        Peer peer(loop.io);
        co_await peer.connect(server.port());
        co_await peer.send(get("/"));
        EXPECT_EQ((co_await peer.read_all()).find("HTTP/1.1 200"), std::string::npos);
        EXPECT_TRUE(co_await loop.until([&] { return server.connections() == 0; }));
    });
}

TEST_F(TlsTest, ADepartureIsNoticed) {
    Origin origin(loop.io, options);
    loop.run([&]() -> Task<void> {
        std::optional<Upstream> up;
        auto connected = co_await origin.connect(false);
        EXPECT_TRUE(connected);
        up.emplace(std::move(*connected));
        const std::string request = get("/stream");
        const std::string_view piece = request;
        EXPECT_TRUE(co_await up->send(std::span(&piece, 1), 5s));
        EXPECT_TRUE(co_await up->read_head(5s));
        EXPECT_TRUE(co_await up->read_body(5s));
        up.reset();
        EXPECT_TRUE(co_await loop.until([&] { return gone && server.connections() == 0; }));
    });
}

TEST_F(TlsTest, AServerThatIsSilentIsLeftInTime) {
    Listener silent(loop.io);
    options.port = silent.port();
    options.connect_timeout = 100ms;
    EXPECT_EQ(refusal(), NetError::Kind::timeout);
}

TEST(TlsFilesTest, SaysWhichFileIsWrong) {
    Loop loop;
    Server server(loop.io, {}, [](Exchange&) -> Task<void> { co_return; });
    const Certificate certificate("a");
    const auto no_cert = server.use_tls("/no/such/cert", certificate.key());
    ASSERT_FALSE(no_cert);
    EXPECT_NE(no_cert.error().message.find("/no/such/cert"), std::string::npos);
    const auto no_key = server.use_tls(certificate.cert(), "/no/such/key");
    ASSERT_FALSE(no_key);
    EXPECT_NE(no_key.error().message.find("/no/such/key"), std::string::npos);
    const Certificate other("b");
    EXPECT_FALSE(server.use_tls(certificate.cert(), other.key())) << "does not belong together";
}

}  // namespace
}  // namespace spillway::http::test
