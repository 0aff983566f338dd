// Which hosts are taken, and whose counts.
#include "http/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server_fixture.hpp"

namespace spillway::http::test {
namespace {

using ::testing::EndsWith;

TEST(AuthorityTest, HostsAreAsRfc3986HasThem) {
    for (const char* host : {"a", "a-b_c.example", "a:", "a:80", "127.0.0.1:8080", "[::1]", "[::1]:80",
                             "[::ffff:1.2.3.4]", "%41b", "a!$&'()*+;=~"})
        EXPECT_TRUE(valid_host(host)) << host;
    for (const char* host : {"",
                             " ",
                             "a b",
                             "a,b",
                             "u@a",
                             "a:b",
                             "a:80b",
                             "a:1:2",
                             "a:-1",
                             "a/b",
                             "a?b",
                             "a#b",
                             "a\\b",
                             "[::1",
                             "[]",
                             "[::1]x",
                             "[a b]",
                             "[::1]]",
                             "::1",
                             "%",
                             "%4",
                             "%zz",
                             "caf\xc3\xa9",
                             ":80",
                             ":",
                             "localhost:x.evil.example"})
        EXPECT_FALSE(valid_host(host)) << host;
}

using AuthorityOfServerTest = ServerFixture;

TEST_F(AuthorityOfServerTest, TheHostOfAnAbsoluteTargetCounts) {
    listen([](Exchange& x) -> Task<void> { co_await x.respond(200, {}, x.request().fields.get("host")); });
    const auto asked = [&](std::string_view target) {
        return exchange("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    };
    EXPECT_THAT(asked("/"), EndsWith("\r\n\r\na"));
    for (const char* target : {"http://b:8/x", "HTTP://b:8"})
        EXPECT_THAT(asked(target), EndsWith("\r\n\r\nb:8")) << target;
    for (const char* target : {"http://u@b/", "http:///x", "http://b:x/", "http://"})
        EXPECT_EQ(status_of(asked(target)), 400) << target;
    EXPECT_EQ(status_of(exchange("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n")), 400);
}

}  // namespace
}  // namespace spillway::http::test
