#include "http/fetch.hpp"

#include "base/task.hpp"
#include "http/support.hpp"

namespace spillway::http::test {
namespace {

class FetchTest : public ::testing::Test {
protected:
    FetchTest() {
        EXPECT_TRUE(server.listen(Listen{}));
        OriginOptions o;
        o.host = "127.0.0.1";
        o.port = server.port();
        origin.emplace(loop.io, o);
    }
    Task<void> serve(Exchange& x) {
        ++requests;
        if (x.request().target == "/slow") {
            co_await loop.sleep(300ms);
            co_await x.respond(200, {}, "late");
        } else if (x.request().target == "/close") {
            x.abort();
        } else {
            std::string body(x.request().method);
            body.append(" ").append(x.request().fields.get("host")).append(" ").append(x.body());
            co_await x.respond(202, std::array{Field{"X-A", "b"}}, body);
        }
    }
    Loop loop;
    Server server{loop.io, {}, [this](Exchange& x) { return serve(x); }};
    std::optional<Origin> origin;
    int requests = 0;
};

TEST_F(FetchTest, BringsTheWholeAnswer) {
    loop.run([&]() -> Task<void> {
        const std::string host = "127.0.0.1:" + std::to_string(server.port());
        for (int i = 0; i < 3; ++i) {
            const auto answer = co_await fetch(*origin, "GET", "/", {}, {}, 5s);
            EXPECT_TRUE(answer);
            EXPECT_EQ(answer->status, 202U);
            EXPECT_EQ(answer->field("x-a"), "b");
            EXPECT_EQ(answer->body, "GET " + host + " ");
            EXPECT_EQ(origin->idle(), 1U);
        }
        const std::array fields{Field{"Host", "other"}};
        const auto posted = co_await fetch(*origin, "POST", "/", fields, "body", 5s);
        EXPECT_EQ(posted->body, "POST other body");
        const auto head = co_await fetch(*origin, "HEAD", "/", {}, {}, 5s);
        EXPECT_EQ(head->status, 202U);
        EXPECT_EQ(head->body, "");
    });
}

TEST_F(FetchTest, KeepsItsTimeAndItsSize) {
    loop.run([&]() -> Task<void> {
        const auto late = co_await fetch(*origin, "GET", "/slow", {}, {}, 50ms);
        EXPECT_FALSE(late);
        if (!late) {
            EXPECT_EQ(late.error().kind, NetError::Kind::timeout);
        }
        const auto large = co_await fetch(*origin, "POST", "/", {}, std::string(100, 'x'), 5s, 50);
        EXPECT_FALSE(large);
        if (!large) {
            EXPECT_EQ(large.error().kind, NetError::Kind::protocol);
        }
    });
}

TEST_F(FetchTest, RepeatsOnAStaleConnectionOnlyWhatMayBeRepeated) {
    loop.run([&]() -> Task<void> {
        EXPECT_TRUE(co_await fetch(*origin, "GET", "/", {}, {}, 5s));
        requests = 0;
        EXPECT_FALSE(co_await fetch(*origin, "GET", "/close", {}, {}, 5s));
        EXPECT_EQ(requests, 2) << "once on the pooled connection, once on a fresh one";
        requests = 0;
        EXPECT_TRUE(co_await fetch(*origin, "GET", "/", {}, {}, 5s));
        EXPECT_FALSE(co_await fetch(*origin, "POST", "/close", {}, {}, 5s));
        EXPECT_EQ(requests, 2);
    });
}

}  // namespace
}  // namespace spillway::http::test
