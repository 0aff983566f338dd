#include "gateway/busy_clients.hpp"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

using namespace std::chrono_literals;
using routing::DeploymentRef;

constexpr DeploymentRef chat{3}, other{4};

struct Flood {
    BusyClients busy;
    Mono now{1000s};
    const int client = 0;

    /// Refusals for two seconds: long enough to be believed.
    void refuse_for_a_while() {
        for (int i = 0; i < 20; ++i, now += 100ms) {
            busy.asked(&client, chat, now);
            busy.refused(&client, chat, now);
        }
    }
    int expected_of(int heads) {
        int count = 0;
        for (int i = 0; i < heads; ++i) count += busy.expected(&client, now).has_value() ? 1 : 0;
        return count;
    }
};

TEST(BusyClients, ExpectsWhatWasRefusedLately) {
    Flood f;
    EXPECT_FALSE(f.busy.expected(&f.client, f.now));
    f.refuse_for_a_while();
    const auto expected = f.busy.expected(&f.client, f.now);
    ASSERT_TRUE(expected);
    EXPECT_EQ(expected->index, chat.index);
    f.now += BusyClients::pause;
    EXPECT_FALSE(f.busy.expected(&f.client, f.now)) << "who waited as told is read";
}

TEST(BusyClients, ReadsOneNowAndThen) {
    Flood f;
    f.refuse_for_a_while();
    EXPECT_EQ(f.expected_of(160), 150);
}

TEST(BusyClients, GuessesNothingAboutWhoAsksForSeveral) {
    Flood f;
    f.busy.refused(&f.client, chat, f.now);
    f.busy.asked(&f.client, other, f.now);
    f.refuse_for_a_while();
    EXPECT_EQ(f.expected_of(100), 0);
    f.now += BusyClients::remembered;
    f.refuse_for_a_while();
    EXPECT_GT(f.expected_of(100), 0);
}

TEST(BusyClients, ClientsAreToldApart) {
    Flood f;
    f.refuse_for_a_while();
    const int another = 0;
    EXPECT_FALSE(f.busy.expected(&another, f.now));
}

TEST(ComingBodies, CountWhileTheyAreReadAndNotForLong) {
    ComingBodies bodies;
    const Mono now(1000s);
    EXPECT_EQ(bodies.count(now), 0U);
    {
        const auto one = bodies.begin(now);
        const auto two = bodies.begin(now + 100ms);
        EXPECT_EQ(bodies.count(now + 200ms), 2U);
        EXPECT_EQ(bodies.count(now + ComingBodies::soon), 1U) << "slow senders keep nobody out";
    }
    EXPECT_EQ(bodies.count(now + 200ms), 0U);
}

}  // namespace
}  // namespace spillway::gateway
