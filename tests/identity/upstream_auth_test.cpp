#include "identity/upstream_auth.hpp"

#include <gtest/gtest.h>

namespace spillway::identity {
namespace {

std::string header(AuthScheme scheme, std::string_view key) {
    std::string out = "Host: x\r\n";
    EXPECT_TRUE(make_static_key(scheme, key).value()->append_auth_header(out, Wall{}));
    return out;
}

TEST(StaticKey, AppendsItsFieldLine) {
    EXPECT_EQ(header(AuthScheme::api_key, "K1"), "Host: x\r\napi-key: K1\r\n");
    EXPECT_EQ(header(AuthScheme::bearer, "sk-1"), "Host: x\r\nAuthorization: Bearer sk-1\r\n");
}

TEST(StaticKey, WithoutKeySendsNothing) {
    EXPECT_EQ(header(AuthScheme::api_key, ""), "Host: x\r\n");
}

TEST(StaticKey, RefusesWhatWouldBreakTheHead) {
    EXPECT_FALSE(make_static_key(AuthScheme::api_key, "a\r\nX: y"));
    EXPECT_FALSE(make_static_key(AuthScheme::api_key, "a b"));
    EXPECT_FALSE(make_static_key(AuthScheme::bearer, "k\n"));
    EXPECT_FALSE(make_static_key(AuthScheme::bearer, "\x7f"));
    EXPECT_FALSE(make_static_key(AuthScheme::bearer, "\xC3\xA9"));
    EXPECT_FALSE(make_static_key(AuthScheme::bearer, std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace spillway::identity
