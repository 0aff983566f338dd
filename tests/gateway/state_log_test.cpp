#include "gateway/state_log.hpp"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

TEST(StateLog, SaysWhoIsOutForHowLongAndWhy) {
    routing::StateChange change;
    change.backend = "one";
    change.ejected = true;
    change.reason = routing::Reason::no_connection;
    change.out = std::chrono::seconds(2);
    change.detail = "Connection refused";
    EXPECT_EQ(describe(change), "backend 'one' is out for 2.0 s: connect (Connection refused)");
    change.deployment = "gpt-4o";
    change.ejected = false;
    EXPECT_EQ(describe(change), "backend 'one', deployment 'gpt-4o' serves again");
}

}  // namespace
}  // namespace spillway::gateway
