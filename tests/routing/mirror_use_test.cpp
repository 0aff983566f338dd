/// What the router makes of the mirror of a backend's quota.
#include <gtest/gtest.h>

#include <array>

#include "routing/router_fixture.hpp"

namespace spillway::routing {
namespace {

config::BackendConfig limited(std::string name, std::uint64_t tpm, std::uint32_t priority = 1) {
    auto b = backend(std::move(name), priority);
    b.tpm = tpm;
    return b;
}

api::RateLimits told(std::int64_t limit, std::int64_t remaining) {
    api::RateLimits l;
    l.limit_tokens = limit;
    l.remaining_tokens = remaining;
    return l;
}

TEST(MirrorUse, SpillsOverBeforeItIsRefused) {
    Bench t({limited("a", 1000, 1), limited("b", 1000, 2)});
    std::array<int, 2> got{};
    for (int i = 0; i < 20; ++i) {
        const Choice c = t.pick();
        ASSERT_TRUE(c.found());
        ++got.at(c.lease.backend);
        EXPECT_EQ(c.lease.spilled, i >= 10);
        t.serve(c.lease);
    }
    EXPECT_EQ(got[0], 10);
    EXPECT_EQ(got[1], 10);
}

TEST(MirrorUse, RefusesOnlyWhatItIsSureOf) {
    Bench t({limited("a", 1000)});
    for (int i = 0; i < 10; ++i) t.serve(t.pick().lease);
    // Full, but the backend's minute may have begun earlier: one request finds out.
    const Choice trial = t.pick();
    ASSERT_TRUE(trial.found());
    EXPECT_FALSE(t.pick().found());
    Outcome refused = outcome_of(verdict_of(OutcomeKind::throttled));
    refused.retry_after = 30s;
    refused.limits = told(1000, 0);
    t.router.ended(trial.lease, refused, t.now);
    const Choice none = t.pick();
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.retry_in, 30s);
    t.now += 30s + 60ms;
    EXPECT_TRUE(t.pick().found());
}

TEST(MirrorUse, ATrialThatIsServedTeachesTheReset) {
    Bench t({limited("a", 1000)});
    for (int i = 0; i < 10; ++i) {
        const Choice c = t.pick();
        t.router.began(c.lease, told(1000, 900 - 100 * i), t.now);
        t.end(c.lease, OutcomeKind::served);
    }
    t.now += 5s;
    const Choice trial = t.pick();
    ASSERT_TRUE(trial.found());
    t.router.began(trial.lease, told(1000, 900), t.now);
    for (int i = 0; i < 9; ++i) EXPECT_TRUE(t.pick().found());
}

TEST(MirrorUse, TellsWhenTheSoonestQuotaFrees) {
    Bench t({limited("a", 1000), limited("b", 1000)});
    for (const Duration wait : {40s, 25s}) {
        const Choice c = t.pick();
        Outcome refused = outcome_of(verdict_of(OutcomeKind::throttled));
        refused.retry_after = wait;
        refused.limits = told(1000, 0);
        t.router.ended(c.lease, refused, t.now);
    }
    const Choice none = t.pick();
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.retry_in, 25s);  // never more than was told
}

TEST(MirrorUse, ASmallRequestStillFits) {
    Bench t({limited("a", 1000)});
    t.tokens = 950;
    const Choice c = t.pick();
    t.router.began(c.lease, told(1000, 50), t.now);
    Outcome refused;
    t.tokens = 100;
    t.router.ended(c.lease, refused, t.now);
    t.tokens = 40;
    EXPECT_TRUE(t.pick().found());
}

TEST(MirrorUse, GivesBackWhatWasNeverSent) {
    Bench t({limited("a", 1000)});
    for (int i = 0; i < 50; ++i) {
        t.once(OutcomeKind::connect_error, 10ms);
        t.now += 20ms;
    }
    const auto v = t.router.view(t.now).at(0);
    EXPECT_EQ(v.deployments.at(0).remaining_tokens, 1000);
    EXPECT_EQ(v.deployments.at(0).reserved_tokens, 0U);
    EXPECT_EQ(v.deployments.at(0).tpm, 1000U);
}

TEST(MirrorUse, ReturnsWhatWasChargedForTheEstimator) {
    Bench t({limited("a", 10'000)});
    const Choice first = t.pick();
    t.now += 100ms;
    const Choice second = t.pick();
    EXPECT_FALSE(t.router.began(first.lease, told(10'000, 9'900), t.now));
    EXPECT_EQ(t.router.began(second.lease, told(10'000, 9'770), t.now), 130U);
    Outcome client_error = outcome_of(verdict_of(OutcomeKind::client_error));
    client_error.limits = told(10'000, 9'770);
    t.router.ended(second.lease, client_error, t.now);
    EXPECT_EQ(t.router.view(t.now).at(0).deployments.at(0).remaining_tokens, 9'770);
}

TEST(MirrorUse, CanBeSwitchedOff) {
    const std::vector<config::BackendConfig> backends{limited("a", 100)};
    Router router(backends, {}, {Strategy::pace, false, false});
    Rng rng(1);
    Ask ask;
    ask.tokens = 100;
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(router.pick(ask, Mono(1000s), rng).found());
}

TEST(MirrorUse, DeploymentNumbersAreBounded) {
    Bench t({backend("a")});
    for (int i = 0; i < 1000; ++i)
        ASSERT_LT(t.router.deployment("name-" + std::to_string(i), t.now).index, t.router.deployment_bound());
}

}  // namespace
}  // namespace spillway::routing
