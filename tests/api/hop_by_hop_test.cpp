#include "api/hop_by_hop.hpp"

#include <gtest/gtest.h>

namespace spillway::api {
namespace {

TEST(HopByHop, ByName) {
    for (const char* name : {"Connection", "keep-alive", "Proxy-Connection", "Proxy-Authenticate",
                             "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "UPGRADE"})
        EXPECT_TRUE(is_hop_by_hop(name)) << name;
    for (const char* name : {"", "Content-Type", "Content-Length", "Authorization", "Trailers", "T"})
        EXPECT_FALSE(is_hop_by_hop(name)) << name;
}

TEST(HopByHop, NamedByConnection) {
    EXPECT_TRUE(is_hop_by_hop("X-Secret-Hop", "close, x-secret-hop"));
    EXPECT_FALSE(is_hop_by_hop("X-Secret", "close, x-secret-hop"));
    EXPECT_TRUE(is_hop_by_hop("te", ""));
}

TEST(HopByHop, ListTokens) {
    EXPECT_TRUE(list_has_token("a", "A"));
    EXPECT_TRUE(list_has_token(" a ,\tB ,c", "b"));
    EXPECT_TRUE(list_has_token(",,c", "c"));
    EXPECT_FALSE(list_has_token("", "a"));
    EXPECT_FALSE(list_has_token("a b", "a"));
    EXPECT_FALSE(list_has_token("a,,b", ""));
}

TEST(HopByHop, AppendsTheRest) {
    http::Fields fields;
    fields.add("Host", "gateway");
    fields.add("Connection", "x-one");
    fields.add("X-One", "1");
    fields.add("connection", "X-Two, close");
    fields.add("x-two", "2");
    fields.add("Transfer-Encoding", "chunked");
    fields.add("X-Kept", "3");
    fields.add("X-Kept", "4");
    std::string out = "+";
    append_end_to_end(out, fields, [](std::string_view name) { return iequals(name, "host"); });
    EXPECT_EQ(out, "+X-Kept: 3\r\nX-Kept: 4\r\n");
    http::Fields plain;
    plain.add("A", "b");
    out.clear();
    append_end_to_end(out, plain, [](std::string_view) { return false; });
    EXPECT_EQ(out, "A: b\r\n");
}

TEST(HopByHop, CopiesLinesThatLieSideBySide) {
    const std::string_view text = "A: 1\r\nB: 2\r\nC: 3\r\nD:4\r\nE: 5\r\nF: 6\r\n";
    http::Fields fields;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t value = text.find_first_not_of(": ", at + 1);
        fields.add(text.substr(at, 1), text.substr(value, 1), value == at + 3);
        at = value + 3;
    }
    const auto all_but = [&](std::string_view skipped) {
        std::string out = "+";
        append_end_to_end(out, fields, [&](std::string_view name) { return name == skipped; });
        return out;
    };
    EXPECT_EQ(all_but(""), "+A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\n");
    EXPECT_EQ(all_but("A"), "+B: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\n");
    EXPECT_EQ(all_but("B"), "+A: 1\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\n");
    EXPECT_EQ(all_but("D"), "+A: 1\r\nB: 2\r\nC: 3\r\nE: 5\r\nF: 6\r\n");
    EXPECT_EQ(all_but("F"), "+A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n");
}

}  // namespace
}  // namespace spillway::api
