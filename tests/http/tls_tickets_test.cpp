// Keys of session tickets: who has which, and for how long.
#include "http/tls_tickets.hpp"

#include <gtest/gtest.h>

namespace spillway::http {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
const Wall kNoon(hours(500'000));

TEST(TicketKeys, ANewOneEachHourAndTwoOldOnesStillOpen) {
    TicketKeys keys;
    const TicketKey first = keys.current(kNoon);
    EXPECT_EQ(keys.current(kNoon + minutes(59)).name, first.name);
    const TicketKey second = keys.current(kNoon + hours(1));
    EXPECT_NE(second.name, first.name);
    EXPECT_NE(second.cipher, first.cipher);
    auto found = keys.find(first.name, kNoon + hours(1));
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->is_current);
    EXPECT_EQ(found->key.cipher, first.cipher);
    EXPECT_EQ(found->key.mac, first.mac);
    found = keys.find(second.name, kNoon + hours(1));
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->is_current);
    EXPECT_TRUE(keys.find(first.name, kNoon + hours(2)));
    EXPECT_FALSE(keys.find(first.name, kNoon + hours(3)));
    EXPECT_TRUE(keys.find(second.name, kNoon + hours(3)));
    EXPECT_FALSE(keys.find(second.name, kNoon + hours(30)));
}

TEST(TicketKeys, AreOnesOwn) {
    TicketKeys one;
    TicketKeys other;
    EXPECT_FALSE(other.find(one.current(kNoon).name, kNoon));
}

TEST(TicketKeys, AreSharedByASecret) {
    TicketKeys one("a secret");
    TicketKeys other("a secret");
    TicketKeys stranger("another secret");
    const TicketKey key = one.current(kNoon);
    const auto found = other.find(key.name, kNoon + minutes(61));  // also by one that starts later
    ASSERT_TRUE(found);
    EXPECT_EQ(found->key.cipher, key.cipher);
    EXPECT_EQ(found->key.mac, key.mac);
    EXPECT_NE(std::string(key.cipher.begin(), key.cipher.end()), std::string(key.mac.begin(), key.mac.end()));
    EXPECT_FALSE(stranger.find(key.name, kNoon));
}

TEST(TicketKeys, AClockThatGoesBackMakesNewOnes) {
    TicketKeys keys;
    const TicketKey late = keys.current(kNoon);
    const TicketKey early = keys.current(kNoon - hours(5));
    EXPECT_NE(late.name, early.name);
    EXPECT_TRUE(keys.find(early.name, kNoon - hours(5)));
}

}  // namespace
}  // namespace spillway::http
