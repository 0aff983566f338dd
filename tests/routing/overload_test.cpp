// Limits on requests in flight, as a Router applies them.
#include <gtest/gtest.h>

#include "routing/router_fixture.hpp"

namespace spillway::routing {
namespace {

Outcome refused(unsigned status = 503) {
    return outcome_of(verdict_of(OutcomeKind::server_error), status);
}

struct Crowd : Bench {
    using Bench::Bench;

    /// Fills the deployment until it refuses the request beyond `places`.
    std::vector<Lease> fill(std::size_t places) {
        std::vector<Lease> held;
        while (held.size() < places) {
            const Choice c = pick();
            if (!c.found()) break;
            held.push_back(c.lease);
        }
        return held;
    }
    std::optional<std::uint32_t> limit(std::size_t backend) {
        return router.view(now).at(backend).deployments.at(0).most_in_flight;
    }
};

TEST(Overload, ThereIsNoLimitUntilSomethingIsRefused) {
    Crowd bench({backend("a")});
    EXPECT_EQ(bench.fill(5000).size(), 5000U);
    EXPECT_EQ(bench.limit(0), std::nullopt);
}

TEST(Overload, WhatIsBeyondTheLimitGoesToAnother) {
    for (const unsigned status : {503U, 529U}) {
        Crowd bench({backend("a", 1), backend("b", 2)});
        auto held = bench.fill(20);
        bench.router.ended(held.back(), refused(status), bench.now);
        held.pop_back();
        ASSERT_EQ(bench.limit(0), 19U);
        EXPECT_EQ(bench.pick().lease.backend, 1U);
        const auto changes = bench.router.fetch_changes();
        ASSERT_EQ(changes.size(), 1U);
        EXPECT_EQ(changes[0].limit, 19U);
        EXPECT_EQ(changes[0].detail, "refusals");
        bench.serve(held.back());
        EXPECT_EQ(bench.pick().lease.backend, 0U);
    }
}

TEST(Overload, WhereAllAreFullTheCauseIsTold) {
    Crowd bench({backend("a")});
    auto held = bench.fill(20);
    const auto deployment = bench.router.deployment("gpt-4o", bench.now);
    EXPECT_FALSE(bench.router.busy(deployment, 0, bench.now));
    bench.router.ended(held.back(), refused(), bench.now);
    const Choice none = bench.pick();
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.cause, Cause::busy);
    EXPECT_EQ(none.retry_in, 1s);
    EXPECT_TRUE(bench.router.busy(deployment, 0, bench.now));
    EXPECT_FALSE(bench.router.busy(bench.router.deployment("another", bench.now), 0, bench.now));
}

TEST(Overload, OtherFailuresAreNoSign) {
    Crowd bench({backend("a")});
    auto held = bench.fill(20);
    bench.router.ended(held[0], refused(500), bench.now);
    bench.end(held[1], OutcomeKind::broken);
    bench.end(held[2], OutcomeKind::connect_error);
    bench.end(held[3], OutcomeKind::throttled, 10s);
    bench.end(held[4], OutcomeKind::cancelled);
    bench.end(held[5], OutcomeKind::client_error);
    EXPECT_EQ(bench.limit(0), std::nullopt);
    bench.end(held[6], OutcomeKind::timeout);
    EXPECT_NE(bench.limit(0), std::nullopt);
}

TEST(Overload, LateFirstTokensAreASign) {
    Crowd bench({backend("a")});
    auto held = bench.fill(10);
    for (int i = 0; i < 100; ++i) bench.router.first_token(held[0], 100, 100ms, bench.now);
    EXPECT_EQ(bench.limit(0), std::nullopt);
    for (int i = 0; i < 100; ++i) bench.router.first_token(held[9], 100, 400ms, bench.now);
    EXPECT_NE(bench.limit(0), std::nullopt);
    EXPECT_EQ(bench.router.fetch_changes().at(0).detail, "late first tokens");
}

TEST(Overload, ItCanBeTurnedOff) {
    Crowd bench({backend("a")});
    Router router(bench.configs, {}, {.adapt = false});
    std::vector<Lease> held;
    Ask ask;
    ask.deployment = router.deployment("gpt-4o", bench.now);
    ask.tokens = 1;
    for (int i = 0; i < 20; ++i) held.push_back(router.pick(ask, bench.now, bench.rng).lease);
    router.ended(held[0], refused(), bench.now);
    EXPECT_EQ(router.view(bench.now).at(0).deployments.at(0).most_in_flight, std::nullopt);
}

}  // namespace
}  // namespace spillway::routing
