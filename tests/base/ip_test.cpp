#include "base/ip.hpp"

#include <gtest/gtest.h>

namespace spillway {
namespace {

bool within(std::string_view network, std::string_view address) {
    const auto n = IpNetwork::parse(network);
    const auto a = IpAddress::parse(address);
    EXPECT_TRUE(n) << network;
    EXPECT_TRUE(a) << address;
    return n && a && n->contains(*a);
}

TEST(IpAddress, AMappedOneIsTheSameAsItsIpv4Form) {
    const auto v4 = IpAddress::parse("10.0.0.1");
    ASSERT_TRUE(v4);
    EXPECT_TRUE(v4->is_v4());
    EXPECT_EQ(v4, IpAddress::parse("::ffff:10.0.0.1"));
    EXPECT_NE(v4, IpAddress::parse("10.0.0.2"));
    const auto v6 = IpAddress::parse("2001:db8::1");
    ASSERT_TRUE(v6);
    EXPECT_FALSE(v6->is_v4());
    EXPECT_EQ(v6, IpAddress::parse("2001:0DB8:0:0:0:0:0:1"));
}

TEST(IpAddress, IsNothingElse) {
    for (const char* text :
         {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", " 10.0.0.1", "010.0.0.1", "[::1]", "fe80::1%eth0",
          "localhost", "10.0.0.1/8", ":::", "1.2.3.4.5", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"})
        EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpNetwork, HoldsWhatSharesItsPrefix) {
    EXPECT_TRUE(within("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(within("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(within("10.0.0.0/8", "::ffff:10.1.2.3"));
    EXPECT_TRUE(within("192.0.2.128/25", "192.0.2.255"));
    EXPECT_FALSE(within("192.0.2.128/25", "192.0.2.127"));
    EXPECT_TRUE(within("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(within("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_FALSE(within("2001:db8::/32", "10.0.0.1"));
}

TEST(IpNetwork, OneAddressOrAll) {
    EXPECT_TRUE(within("192.0.2.1", "192.0.2.1"));
    EXPECT_FALSE(within("192.0.2.1", "192.0.2.2"));
    EXPECT_TRUE(within("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(within("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(within("::/0", "203.0.113.9"));
    EXPECT_TRUE(within("::1/128", "::1"));
}

TEST(IpNetwork, WantsAPrefixThatFits) {
    for (const char* text :
         {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::/129", "/8", "host/8"})
        EXPECT_FALSE(IpNetwork::parse(text)) << text;
}

}  // namespace
}  // namespace spillway
