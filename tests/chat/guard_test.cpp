#include "chat/guard.hpp"

#include <gtest/gtest.h>

namespace spillway::chat {
namespace {

http::RequestHead head(std::string_view method, std::initializer_list<http::Field> fields) {
    http::RequestHead out;
    out.method = method;
    for (const http::Field& f : fields) out.fields.add(f.name, f.value);
    return out;
}

const std::vector<std::string> loopback = own_hosts("127.0.0.1");

TEST(Guard, ANameThatIsNotOursGetsNothing) {
    EXPECT_EQ(judge(head("GET", {{"host", "127.0.0.1:8082"}}), loopback, false), Verdict::good);
    EXPECT_EQ(judge(head("GET", {{"host", "LOCALHOST:1"}}), loopback, false), Verdict::good);
    EXPECT_EQ(judge(head("GET", {{"host", "[::1]:1"}}), loopback, false), Verdict::good);
    EXPECT_EQ(judge(head("GET", {{"host", "evil.example"}}), loopback, false), Verdict::foreign_host);
    EXPECT_EQ(judge(head("GET", {{"host", "127.0.0.1.evil.example"}}), loopback, false),
              Verdict::foreign_host);
    EXPECT_EQ(judge(head("GET", {{"host", "chat.example"}}), own_hosts("0.0.0.0"), false), Verdict::good);
}

TEST(Guard, OnlyOurOwnPageMayChangeSomething) {
    const auto post = [](std::string_view name, std::string_view value, std::string_view type) {
        return judge(head("POST", {{"host", "localhost:1"}, {name, value}, {"content-type", type}}), loopback,
                     true);
    };
    EXPECT_EQ(post("origin", "http://localhost:1", "application/json"), Verdict::good);
    EXPECT_EQ(post("origin", "http://localhost:2", "application/json"), Verdict::foreign_origin);
    EXPECT_EQ(post("origin", "null", "application/json"), Verdict::foreign_origin);
    EXPECT_EQ(post("sec-fetch-site", "cross-site", "application/json"), Verdict::foreign_origin);
    EXPECT_EQ(post("sec-fetch-site", "same-site", "application/json"), Verdict::foreign_origin);
    EXPECT_EQ(post("sec-fetch-site", "same-origin", "application/octet-stream"), Verdict::good);
    EXPECT_EQ(post("x", "y", "text/plain"), Verdict::wrong_type);
    EXPECT_EQ(judge(head("POST", {{"host", "localhost"}}), loopback, false), Verdict::wrong_type);
    EXPECT_EQ(judge(head("DELETE", {{"host", "localhost"}}), loopback, false), Verdict::good);
}

TEST(Guard, BehindAProxyThatTellsNothingTheOwnPageIsKnownByItsField) {
    const auto post = [](std::initializer_list<http::Field> more) {
        http::RequestHead asked = head("POST", {{"host", "127.0.0.1:8082"},
                                                {"origin", "http://chat.example"},
                                                {"content-type", "application/json"}});
        for (const http::Field& f : more) asked.fields.add(f.name, f.value);
        return judge(asked, loopback, true);
    };
    EXPECT_EQ(post({}), Verdict::foreign_origin);
    EXPECT_EQ(post({{"x-forwarded-host", "chat.example"}}), Verdict::good);
    EXPECT_EQ(post({{"x-spillway-page", "1"}}), Verdict::good);
    EXPECT_EQ(post({{"x-spillway-page", "1"}, {"sec-fetch-site", "cross-site"}}), Verdict::foreign_origin);
}

TEST(Guard, FindsTheSessionAmongOtherCookies) {
    const std::string id(32, 'a');
    EXPECT_EQ(session_of(head("GET", {{"cookie", "x=1; spillway_chat=" + id + "; y=2"}})), id);
    EXPECT_EQ(session_of(head("GET", {{"cookie", "spillway_chat=short"}})), "");
    EXPECT_EQ(session_of(head("GET", {{"cookie", "xspillway_chat=" + id}})), "");
    EXPECT_EQ(session_of(head("GET", {})), "");
}

}  // namespace
}  // namespace spillway::chat
