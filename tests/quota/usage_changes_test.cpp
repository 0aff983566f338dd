// Two processes that hold one client's limits while one takes over from the other.
#include "quota/usage_changes.hpp"

#include <gtest/gtest.h>

#include "quota/client_time.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;
using test::at;

class HandOver : public ::testing::Test {
protected:
    void SetUp() override {
        limits.tokens_per_minute = 1000;
        limits.requests_per_minute = 10;
        limits.concurrency = 2;
        limits.tokens[static_cast<std::size_t>(Period::day)] = 5000;
        for (ClientQuotas* one : {&old, &fresh}) (void)one->find_or_add(SubjectKind::client, "a", limits);
    }
    static Subject& client(ClientQuotas& quotas) { return *quotas.find(SubjectKind::client, "a"); }
    std::optional<Grant> ask(ClientQuotas& quotas, std::int64_t tokens, Now now) {
        Refusal why;
        auto grant = quotas.admit({&client(quotas)}, {tokens, 0}, now, why);
        reason = why.reason;
        return grant;
    }
    void pass_on(Now now) {
        for (const auto& change : teller.changes(now)) listener.apply(change, {}, now);
    }
    std::int64_t day(ClientQuotas& quotas, Now now) {
        return client(quotas).tokens_in(Period::day).used(now);
    }

    SubjectLimits limits;
    Reason reason{};
    ClientQuotas old, fresh;
    UsageTeller teller{old};
    UsageListener listener{fresh};
};

TEST_F(HandOver, TheMinuteGoesOnByTheSecond) {
    auto first = ask(old, 400, at(0s));
    first->settle({400, 0}, at(1s));
    auto second = ask(old, 500, at(30s));
    second->settle({500, 0}, at(31s));
    pass_on(at(32s));
    EXPECT_FALSE(ask(fresh, 200, at(32s)));
    EXPECT_EQ(reason, Reason::tokens);
    EXPECT_EQ(client(fresh).requests().used_here(at(32s)), 2);
    auto third = ask(fresh, 200, at(61s));
    ASSERT_TRUE(third) << "the first has expired";
    third->settle({200, 0}, at(61s));
    EXPECT_EQ(client(fresh).tokens().used_here(at(92s)), 200) << "the second, too";
    EXPECT_EQ(client(fresh).tokens().used_here(at(5min)), 0);
}

TEST_F(HandOver, WhatTheOldOneStillUsesAndGivesBackCounts) {
    pass_on(at(0s));
    auto late = ask(old, 900, at(1s));
    pass_on(at(2s));
    EXPECT_FALSE(ask(fresh, 200, at(2s)));
    late->settle({100, 0}, at(3s));
    pass_on(at(3s));
    EXPECT_EQ(client(fresh).tokens().used_here(at(3s)), 100);
    auto next = ask(fresh, 200, at(3s));
    ASSERT_TRUE(next);
    next->settle({200, 0}, at(3s));
    pass_on(at(4s));
    EXPECT_EQ(client(fresh).tokens().used_here(at(4s)), 300) << "told once";
}

TEST_F(HandOver, StreamsOfTheOldOneAreInFlight) {
    auto one = ask(old, 1, at(0s));
    auto two = ask(old, 1, at(0s));
    pass_on(at(1s));
    EXPECT_FALSE(ask(fresh, 1, at(1s)));
    EXPECT_EQ(reason, Reason::concurrency);
    one->settle({1, 0}, at(2s));
    pass_on(at(2s));
    auto three = ask(fresh, 1, at(2s));
    EXPECT_TRUE(three);
    EXPECT_FALSE(ask(fresh, 1, at(2s)));
    listener.end(at(3s));  // it was killed
    EXPECT_TRUE(ask(fresh, 1, at(3s)));
    listener.end(at(3s));
    EXPECT_EQ(client(fresh).in_flight().used_here(at(3s)), 1);
}

TEST_F(HandOver, PeriodsCountOnceThoughTheLedgerHasThem) {
    ask(old, 300, at(0s))->settle({300, 0}, at(0s));
    client(fresh).restore(Period::day, {250, 0}, at(1s));  // 50 were not committed yet
    pass_on(at(1s));
    EXPECT_EQ(day(fresh, at(1s)), 300);
    ask(old, 40, at(2s))->settle({60, 0}, at(2s));
    ask(fresh, 7, at(2s))->settle({7, 0}, at(2s));
    pass_on(at(3s));
    EXPECT_EQ(day(fresh, at(3s)), 367);
    // A new day begins at midnight, 12 hours later.
    ask(old, 5, at(12h + 1s))->settle({5, 0}, at(12h + 1s));
    pass_on(at(12h + 2s));
    EXPECT_EQ(day(fresh, at(12h + 2s)), 5);
}

TEST_F(HandOver, UsersAreMadeAndStrangersPassedOver) {
    SubjectLimits few;
    few.tokens_per_minute = 10;
    Refusal why;
    EXPECT_TRUE(old.find_or_add(SubjectKind::client, "gone", limits).reserve({5, 0}, at(0s), why));
    auto grant = ask(old, 8, at(0s));
    EXPECT_TRUE(old.add_user(*grant, old.user("a", "alice", few, at(0s)), at(0s), why));
    for (const auto& change : teller.changes(at(1s))) listener.apply(change, few, at(1s));
    const auto alice = fresh.user("a", "alice", few, at(1s));
    EXPECT_EQ(alice->tokens().used_here(at(1s)), 8);
    EXPECT_EQ(fresh.find(SubjectKind::client, "gone"), nullptr);
}

TEST_F(HandOver, WhoHasUsedNothingIsNotTold) {
    EXPECT_TRUE(teller.changes(at(0s)).empty());
    ask(old, 8, at(0s))->settle({8, 0}, at(0s));
    EXPECT_EQ(teller.changes(at(1s)).size(), 1U);
    EXPECT_TRUE(teller.changes(at(1s)).empty());
    EXPECT_EQ(teller.changes(at(2min)).size(), 0U) << "what has expired, has so for the other";
}

}  // namespace
}  // namespace spillway::quota
