#include "http/address_counts.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace spillway::http {
namespace {

Endpoint at(const char* address, std::uint16_t port = 1) {
    return *Endpoint::parse(address, port);
}

TEST(AddressCounts, CountsByAddressUntilPlacesAreLeft) {
    AddressCounts counts;
    std::optional first = counts.enter(at("192.0.2.1", 1000));
    const auto second = counts.enter(at("192.0.2.1", 2000));
    EXPECT_EQ(first->number(), 1U);
    EXPECT_EQ(second.number(), 2U);
    EXPECT_EQ(counts.enter(at("192.0.2.2")).number(), 1U);
    EXPECT_EQ(counts.enter(at("192.0.2.1")).number(), 3U);
    first.reset();
    EXPECT_EQ(counts.enter(at("192.0.2.1")).number(), 2U);
}

TEST(AddressCounts, AMovedPlaceIsCountedOnce) {
    AddressCounts counts;
    {
        auto place = counts.enter(at("192.0.2.1"));
        const auto moved = std::move(place);
        EXPECT_EQ(moved.number(), 1U);
        EXPECT_EQ(counts.enter(at("192.0.2.1")).number(), 2U);
    }
    EXPECT_EQ(counts.enter(at("192.0.2.1")).number(), 1U);
}

TEST(AddressCounts, ANetworkIsOneClient) {
    AddressCounts counts;
    const auto first = counts.enter(at("2001:db8::1"));
    EXPECT_EQ(counts.enter(at("2001:db8::ffff:2")).number(), 2U);
    EXPECT_EQ(counts.enter(at("2001:db8:0:1::1")).number(), 1U);
}

TEST(AddressCounts, MappedAddressesAreThoseOfIpv4) {
    AddressCounts counts;
    const auto first = counts.enter(at("192.0.2.1"));
    EXPECT_EQ(counts.enter(at("::ffff:192.0.2.1")).number(), 2U);
    EXPECT_EQ(counts.enter(at("::ffff:192.0.2.2")).number(), 1U);
}

}  // namespace
}  // namespace spillway::http
