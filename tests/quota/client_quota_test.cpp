#include "quota/client_quota.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/rng.hpp"
#include "base/written.hpp"
#include "quota/client_time.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;
using test::at;

class Quotas : public testing::Test {
protected:
    Subject& client(SubjectLimits limits, std::string_view name = "app") {
        return quotas.find_or_add(SubjectKind::client, name, limits);
    }
    std::optional<Grant> ask(Subjects subjects, std::int64_t tokens, Now now = at(0s),
                             std::int64_t cost = 0) {
        why = {};
        return quotas.admit(subjects, {tokens, cost}, now, why);
    }
    ClientQuotas quotas;
    Refusal why;
};

TEST_F(Quotas, ReservesThenSettles) {
    Subject& app = client({.tokens_per_minute = 100});
    auto first = ask({&app}, 80);
    ASSERT_TRUE(first);
    EXPECT_FALSE(ask({&app}, 30));
    EXPECT_EQ(why.reason, Reason::tokens);
    EXPECT_EQ(why.status(), 429U);
    EXPECT_EQ(why.retry_in, 61s);
    EXPECT_EQ(why.subject, &app);
    first->settle({50, 0}, at(3s));
    EXPECT_EQ(app.tokens().used_here(at(3s)), 50);
    auto second = ask({&app}, 50, at(4s));
    ASSERT_TRUE(second);
    second->settle({70, 0}, at(5s));  // more than was reserved: it counts, and makes others wait
    EXPECT_EQ(app.tokens().used_here(at(5s)), 120);
    EXPECT_EQ(app.tokens().remaining(at(5s)), 0);
    EXPECT_FALSE(ask({&app}, 1, at(6s)));
    EXPECT_EQ(app.refusals(), 2U);
}

TEST_F(Quotas, AGrantThatIsDroppedCountsAsARequestOnly) {
    Subject& app = client({.tokens_per_minute = 100, .requests_per_minute = 2, .concurrency = 1});
    { const auto grant = ask({&app}, 100); }
    EXPECT_EQ(app.tokens().used_here(at(0s)), 0);
    EXPECT_EQ(app.requests().used_here(at(0s)), 1);
    auto moved = ask({&app}, 100);
    Grant other = std::move(*moved);
    moved.reset();
    EXPECT_EQ(app.in_flight().used_here(at(0s)), 1);
    other = Grant();
    EXPECT_EQ(app.in_flight().used_here(at(0s)), 0);
    EXPECT_FALSE(ask({&app}, 1));
    EXPECT_EQ(why.reason, Reason::requests);
}

TEST_F(Quotas, WhatCanNeverFitIsSaid) {
    Subject& app = client({.tokens_per_minute = 100});
    EXPECT_FALSE(ask({&app}, 101));
    EXPECT_EQ(why.reason, Reason::too_large);
    EXPECT_EQ(why.status(), 429U);
    EXPECT_EQ(why.limit, 100);
    EXPECT_EQ(why.wanted, 101);
}

TEST_F(Quotas, ConcurrencyEndsWithTheRequest) {
    Subject& app = client({.concurrency = 2});
    auto one = ask({&app}, 1);
    auto two = ask({&app}, 1);
    EXPECT_FALSE(ask({&app}, 1));
    EXPECT_EQ(why.reason, Reason::concurrency);
    one->settle({1, 0}, at(1s));
    EXPECT_TRUE(ask({&app}, 1, at(1s)));
}

TEST_F(Quotas, AllThreeSubjectsMustAdmitOrNoneIsCharged) {
    Subject& app = client({.tokens_per_minute = 1000, .requests_per_minute = 10});
    Subject& user = quotas.find_or_add(SubjectKind::user, "ann", {.tokens_per_minute = 500});
    Subject& team = quotas.find_or_add(SubjectKind::team, "red", {.tokens = {0, 100, 0, 0}});
    auto grant = ask({&app, &user, &team}, 90);
    ASSERT_TRUE(grant);
    EXPECT_FALSE(ask({&app, &user, &team}, 20));
    EXPECT_EQ(why.subject, &team);
    EXPECT_EQ(app.tokens().used_here(at(0s)), 90);
    EXPECT_EQ(app.requests().used_here(at(0s)), 1);
    EXPECT_EQ(user.tokens().used_here(at(0s)), 90);
    EXPECT_EQ(user.in_flight().used_here(at(0s)), 1);
    EXPECT_TRUE(ask({&app, &user}, 20));  // without the team it may
}

TEST_F(Quotas, APeriodsQuotaIsGoneWhenItIsUsedNotWhenItIsReserved) {
    Subject& app = client({.tokens = {0, 0, 0, 100}});
    auto grant = ask({&app}, 80);
    EXPECT_FALSE(ask({&app}, 30));
    EXPECT_EQ(why.reason, Reason::busy_quota);
    EXPECT_EQ(why.status(), 429U);
    EXPECT_EQ(why.retry_in, 1s);
    grant->settle({90, 0}, at(1s));
    EXPECT_FALSE(ask({&app}, 30, at(1s)));
    EXPECT_EQ(why.reason, Reason::token_quota);
    EXPECT_EQ(why.status(), 403U);
    EXPECT_EQ(why.period, Period::month);
    EXPECT_EQ(why.retry_in, 12h - 1s);
    EXPECT_EQ(why.used, 90);
    EXPECT_TRUE(ask({&app}, 100, at(12h)));  // February
}

TEST_F(Quotas, BudgetsOfKeyUserAndTeamAllApply) {
    for (const int poor : {0, 1, 2}) {
        ClientQuotas fresh;
        std::array<SubjectLimits, 3> limits{};
        for (auto& l : limits) l.budget = {0, 1'000'000, 0, 0};
        limits[static_cast<std::size_t>(poor)].budget = {0, 100, 0, 0};
        Subjects all{&fresh.find_or_add(SubjectKind::client, "a", limits[0]),
                     &fresh.find_or_add(SubjectKind::user, "b", limits[1]),
                     &fresh.find_or_add(SubjectKind::team, "c", limits[2])};
        auto grant = fresh.admit(all, {10, 60}, at(0s), why);
        ASSERT_TRUE(grant);
        grant->settle({10, 60}, at(1s));
        EXPECT_FALSE(fresh.admit(all, {10, 60}, at(1s), why));
        EXPECT_EQ(why.reason, Reason::budget);
        EXPECT_EQ(why.status(), 403U);
        EXPECT_EQ(why.subject, all[static_cast<std::size_t>(poor)]);
        EXPECT_TRUE(fresh.admit(all, {10, 40}, at(1s), why));
    }
}

TEST_F(Quotas, WhatIsFreeOfChargeNeedsABudgetThatIsLeft) {
    Subject& app = client({.budget = {50, 0, 0, 0}});
    auto grant = ask({&app}, 1, at(0s), 50);
    grant->settle({1, 50}, at(0s));
    EXPECT_FALSE(ask({&app}, 1, at(1s), 0));
    EXPECT_EQ(why.reason, Reason::budget);
}

TEST_F(Quotas, ShadowCountsAndRefusesNothing) {
    SubjectLimits limits{
        .tokens_per_minute = 100, .requests_per_minute = 1, .concurrency = 1, .shadow = true};
    limits.tokens = {10, 0, 0, 0};
    Subject& app = client(limits);
    std::vector<Grant> grants;
    for (int i = 0; i < 5; ++i) {
        auto grant = ask({&app}, 60);
        ASSERT_TRUE(grant);
        grants.push_back(std::move(*grant));
    }
    EXPECT_EQ(app.tokens().used_here(at(0s)), 300);
    EXPECT_EQ(app.requests().used_here(at(0s)), 5);
    EXPECT_EQ(app.shadow_refusals(), 5U);
    EXPECT_EQ(app.refusals(), 0U);
    for (Grant& grant : grants) grant.settle({10, 0}, at(1s));
    EXPECT_EQ(app.tokens().used_here(at(1s)), 50);
    EXPECT_EQ(app.in_flight().used_here(at(1s)), 0);
    EXPECT_FALSE(terms({&app}, at(1s)).tokens);
}

TEST_F(Quotas, TheLedgersPastIsCounted) {
    Subject& app = client({.tokens = {0, 0, 0, 1000}, .budget = {0, 0, 0, 500}});
    app.restore(Period::month, {900, 450}, at(0s));
    EXPECT_FALSE(ask({&app}, 101));
    EXPECT_FALSE(ask({&app}, 1, at(0s), 51));
    EXPECT_TRUE(ask({&app}, 100, at(0s), 50));
}

TEST_F(Quotas, AReloadKeepsTheStateAndSetsTheLimits) {
    Subject& app = client({.tokens_per_minute = 100});
    auto grant = ask({&app}, 90);
    EXPECT_EQ(&client({.tokens_per_minute = 50}), &app);
    EXPECT_EQ(app.tokens().limit(), 100);
    EXPECT_EQ(&quotas.find_or_add(SubjectKind::client, "app", {.tokens_per_minute = 200}, true), &app);
    const auto more = ask({&app}, 110);
    EXPECT_TRUE(more);
    EXPECT_FALSE(ask({&app}, 1));
}

TEST_F(Quotas, ALimitSetLaterFindsWhatItsPeriodUsed) {
    const auto reload = [&](SubjectLimits limits) {
        quotas.find_or_add(SubjectKind::client, "app", limits, true);
    };
    Subject& app = client({});
    auto settled = ask({&app}, 90, at(0s), 9);
    settled->settle({60, 6}, at(1s));
    auto under_way = ask({&app}, 30, at(2s), 3);
    auto long_work = ask({&app}, 500, at(2s), 50);
    reload({.tokens = {0, 100, 0, 0}, .budget = {0, 0, 0, 10}});
    EXPECT_FALSE(ask({&app}, 41, at(3s)));
    EXPECT_EQ(why.period, Period::day);
    EXPECT_EQ(why.used, 60);
    EXPECT_FALSE(ask({&app}, 1, at(3s), 5));
    EXPECT_EQ(why.period, Period::month);
    EXPECT_EQ(why.used, 6);
    under_way->settle({10, 1}, at(4s));
    EXPECT_EQ(app.tokens_in(Period::day).used(at(5s)), 70) << "what was under way is counted at its end";
    EXPECT_EQ(app.cost_in(Period::month).used(at(5s)), 7);
    reload({.tokens = {0, 70, 0, 0}, .budget = {0, 0, 0, 7}});
    EXPECT_FALSE(ask({&app}, 1, at(5s), 1));
    EXPECT_EQ(why.reason, Reason::token_quota) << "spent, not only reserved by what came before the limit";
    long_work->undo();
    reload({.tokens = {0, 100, 0, 0}, .budget = {0, 0, 0, 10}});
    auto with_limit = ask({&app}, 30, at(5s), 3);
    EXPECT_EQ(app.tokens_in(Period::day).used(at(5s)), 100);
    reload({});
    with_limit->settle({5, 1}, at(6s));
    EXPECT_EQ(app.tokens_in(Period::day).used(at(6s)), 75) << "a limit that went meanwhile loses nothing";
    EXPECT_EQ(app.tokens_in(Period::hour).used(at(6s)), 75);
    reload({.tokens = {80, 0, 0, 0}});
    EXPECT_FALSE(ask({&app}, 6, at(6s)));
    EXPECT_EQ(why.period, Period::hour);
    EXPECT_TRUE(ask({&app}, 5, at(6s), 100));
}

TEST_F(Quotas, TermsAreOfTheSubjectWithTheLeastLeft) {
    Subject& app = client({.tokens_per_minute = 1000, .requests_per_minute = 10});
    Subject& user = quotas.find_or_add(SubjectKind::user, "ann", {.tokens_per_minute = 500});
    const auto grant = ask({&app, &user}, 90, at(500ms));
    const auto fields = [](const Terms& terms) {
        return spillway::test::written([&](Pen& pen) { append_fields(pen, terms); });
    };
    EXPECT_EQ(fields(terms({&app, &user}, at(500ms))),
              "x-ratelimit-limit-requests: 10\r\nx-ratelimit-remaining-requests: 9\r\n"
              "x-ratelimit-reset-requests: 1m1s\r\n"
              "x-ratelimit-limit-tokens: 500\r\nx-ratelimit-remaining-tokens: 410\r\n"
              "x-ratelimit-reset-tokens: 1m1s\r\n");
    EXPECT_EQ(fields(terms({}, at(0s))), "");
}

TEST_F(Quotas, EachLimitThatIsSetIsShared) {
    SubjectLimits limits{.tokens_per_minute = 1, .requests_per_minute = 1, .concurrency = 1};
    limits.tokens = {1, 1, 1, 1};
    limits.budget = {0, 1, 0, 0};
    std::vector<std::string> names;
    client(limits).each_limit([&](std::string_view name, Shareable&) { names.emplace_back(name); });
    EXPECT_THAT(names, testing::UnorderedElementsAre("tpm", "rpm", "in-flight", "hour", "day", "week",
                                                     "month", "day-cost"));
}

TEST_F(Quotas, ConcurrentRequestsDoNotSlipPast) {
    constexpr std::int64_t kLimit = 10'000;
    SubjectLimits limits{.tokens_per_minute = kLimit};
    limits.tokens = {kLimit / 2, 0, 0, 0};
    Subject& app = client({.tokens_per_minute = kLimit});
    Subject& team = quotas.find_or_add(SubjectKind::team, "t", limits);
    std::atomic<std::int64_t> admitted{0};
    std::vector<std::thread> threads;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
        threads.emplace_back([&, seed] {
            Rng rng(seed);
            for (int i = 0; i < 5000; ++i) {
                Refusal refusal;
                const auto n = static_cast<std::int64_t>(1 + rng.below(100));
                auto grant = quotas.admit({&app, &team}, {n, 0}, at(0s), refusal);
                if (!grant) continue;
                admitted.fetch_add(n);
                grant->settle({n, 0}, at(0s));
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(admitted.load(), kLimit / 2);
    EXPECT_GT(admitted.load(), kLimit / 2 - 100);
    EXPECT_EQ(app.tokens().used_here(at(0s)), admitted.load());
    EXPECT_EQ(team.tokens_in(Period::hour).used(at(0s)), admitted.load());
    EXPECT_EQ(app.in_flight().used_here(at(0s)), 0);
}

/// Random subjects, limits, amounts and times: no limit is passed but by what a request used beyond its
/// reservation, nothing is negative, and a refusal leaves no trace.
TEST_F(Quotas, PropertyOfReserveAndSettle) {
    Rng rng(42);
    for (int round = 0; round < 30; ++round) {
        ClientQuotas fresh;
        Subjects all;
        for (const SubjectKind kind : {SubjectKind::client, SubjectKind::user, SubjectKind::team}) {
            SubjectLimits limits;
            limits.tokens_per_minute = static_cast<std::int64_t>(rng.below(2) * (500 + rng.below(2000)));
            limits.requests_per_minute = static_cast<std::int64_t>(rng.below(2) * (5 + rng.below(50)));
            limits.concurrency = static_cast<std::int64_t>(rng.below(2) * (1 + rng.below(20)));
            limits.tokens[rng.below(4)] = static_cast<std::int64_t>(rng.below(20'000));
            limits.budget[rng.below(4)] = static_cast<std::int64_t>(rng.below(20'000));
            all.push_back(&fresh.find_or_add(kind, "x", limits));
        }
        std::vector<Grant> open;
        Duration t{};
        const auto state = [&] {
            std::vector<std::int64_t> out;
            for (Subject* s : all) {
                out.insert(out.end(), {s->tokens().used_here(at(t)), s->requests().used_here(at(t)),
                                       s->in_flight().used_here(at(t))});
                for (const Period p : kPeriods)
                    out.insert(out.end(), {s->tokens_in(p).used(at(t)), s->cost_in(p).used(at(t))});
            }
            return out;
        };
        for (int i = 0; i < 2000; ++i) {
            t += std::chrono::milliseconds(rng.below(2000));
            const Amounts wanted{static_cast<std::int64_t>(rng.below(300)),
                                 static_cast<std::int64_t>(rng.below(300))};
            const auto before = state();
            if (auto grant = fresh.admit(all, wanted, at(t), why))
                open.push_back(std::move(*grant));
            else
                ASSERT_EQ(state(), before);
            while (!open.empty() && rng.below(3) != 0) {
                std::swap(open[rng.below(open.size())], open.back());
                const Amounts reserved = open.back().reserved();
                const auto up_to = [&](std::int64_t n) {
                    return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(n) + 1));
                };
                open.back().settle({up_to(reserved.tokens), up_to(reserved.cost)}, at(t));
                open.pop_back();
            }
            for (const std::int64_t n : state()) ASSERT_GE(n, 0);
            for (Subject* s : all) {
                const auto within = [&](auto* limit) {
                    return limit == nullptr || limit->limit() == 0 ||
                           limit->used_here(at(t)) <= limit->limit();
                };
                ASSERT_TRUE(within(&s->tokens()) && within(&s->requests()) && within(&s->in_flight()));
                for (const Period p : kPeriods)
                    ASSERT_TRUE(within(s->token_limit(p)) && within(s->cost_limit(p)));
            }
        }
        open.clear();
        for (Subject* s : all) EXPECT_EQ(s->in_flight().used_here(at(t)), 0);
    }
}

TEST(FairShare, AClientWithinItsShareIsNeverRefused) {
    ClientQuotas quotas;
    Subject& greedy = quotas.find_or_add(SubjectKind::client, "greedy", {});
    Subject& modest = quotas.find_or_add(SubjectKind::client, "modest", {});
    Subject& high = quotas.find_or_add(SubjectKind::client, "high", {.priority = Priority::high});
    quotas.fair().set_clients({&greedy, &modest, &high});
    quotas.fair().set_capacity(1000, 0);
    Refusal why;
    std::int64_t taken = 0;
    Duration t{};
    std::vector<Grant> grants;
    const auto take = [&](Subject& who, std::int64_t n) {
        auto grant = quotas.admit({&who}, {n, 0}, at(t), why);
        if (!grant) return false;
        grant->settle({n, 0}, at(t));
        return true;
    };
    while (take(greedy, 10)) taken += 10;
    EXPECT_EQ(taken, 1000);  // alone, all is its share
    t = 61s;
    ASSERT_TRUE(take(modest, 10));
    taken = 0;
    for (int i = 0; i < 200; ++i) {
        t += 10ms;
        if (take(greedy, 10)) taken += 10;
    }
    EXPECT_EQ(taken, 790);  // up to 80 % in use by all
    EXPECT_EQ(why.reason, Reason::fair_share);
    EXPECT_EQ(why.status(), 429U);
    t += 250ms;
    std::int64_t late = 0;
    for (int i = 0; i < 20; ++i)
        if (take(high, 10)) late += 10;
    EXPECT_EQ(late, 200);  // within 1000 × 4 / 8
    EXPECT_FALSE(take(greedy, 10));
    EXPECT_TRUE(take(modest, 10));  // within 1000 × 2 / 8, though the capacity is used up
}

TEST(FairShare, RequestsInFlightAreSharedByWeight) {
    ClientQuotas quotas;
    Subject& a = quotas.find_or_add(SubjectKind::client, "a", {.priority = Priority::low});
    Subject& b = quotas.find_or_add(SubjectKind::client, "b", {.priority = Priority::high});
    quotas.fair().set_clients({&a, &b});
    quotas.fair().set_capacity(0, 10);
    Refusal why;
    std::vector<Grant> grants;
    const auto take = [&](Subject& who, Duration t) {
        auto grant = quotas.admit({&who}, {1, 0}, at(t), why);
        if (!grant) return false;
        grants.push_back(std::move(*grant));
        return true;
    };
    EXPECT_TRUE(take(b, 0s));
    int got = 0;
    while (take(a, 1s)) ++got;
    EXPECT_EQ(got, 7);  // 8 in flight are no contention; its share is 2
    for (int i = 0; i < 7; ++i) EXPECT_TRUE(take(b, 2s)) << i;
    EXPECT_FALSE(take(b, 2s));  // 10 × 4 / 5
    grants.clear();
    EXPECT_TRUE(take(a, 3s));
}

}  // namespace
}  // namespace spillway::quota
