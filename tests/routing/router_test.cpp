#include "routing/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "routing/blame.hpp"
#include "routing/router_fixture.hpp"

namespace spillway::routing {
namespace {

using testing::Each;
using testing::ElementsAre;
using State = BackendView::State;

TEST(Router, TakesTheLowestPriorityNumberFirst) {
    Bench t({backend("late", 3), backend("first", 1), backend("middle", 2)});
    for (int i = 0; i < 100; ++i) {
        const Choice c = t.pick();
        EXPECT_EQ(c.lease.backend, 1U);
        t.serve(c.lease);
    }
    t.once(OutcomeKind::throttled, 60s);
    const Choice spilled = t.pick();
    EXPECT_EQ(spilled.lease.backend, 2U);
}

TEST(Router, SharesByWeightWithinAPriority) {
    Bench t({backend("a", 1, 6), backend("b", 1, 3), backend("c", 1, 1)});
    std::array<int, 3> got{};
    for (int i = 0; i < 20'000; ++i) {
        const Choice c = t.pick();
        ++got.at(c.lease.backend);
        t.serve(c.lease);
    }
    EXPECT_NEAR(got[0], 12'000, 400);
    EXPECT_NEAR(got[1], 6'000, 400);
    EXPECT_NEAR(got[2], 2'000, 250);
}

TEST(Router, PrefersTheOneThatDoesNotCollectRequests) {
    Bench t({backend("stuck"), backend("quick")});
    std::array<int, 2> got{};
    for (int i = 0; i < 1000; ++i) {
        const Choice c = t.pick();
        ++got.at(c.lease.backend);
        if (c.lease.backend == 1) t.serve(c.lease);  // the other never answers
    }
    EXPECT_LT(got[0], 20);
}

TEST(Router, NeverPicksATriedOneAgain) {
    Bench t({backend("a"), backend("b"), backend("c")});
    for (int i = 0; i < 200; ++i) {
        const Choice c = t.pick({0, 2});
        EXPECT_EQ(c.lease.backend, 1U);
        t.serve(c.lease);
    }
    const Choice none = t.pick({0, 1, 2});
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.retry_in, 1ms);
}

TEST(Router, HoldsToThePinnedOne) {
    Bench t({backend("a"), backend("b")});
    Ask ask;
    ask.pinned = 1;
    for (int i = 0; i < 50; ++i) {
        const Choice c = t.router.pick(ask, t.now, t.rng);
        EXPECT_EQ(c.lease.backend, 1U);
        t.serve(c.lease);
    }
    t.end(t.router.pick(ask, t.now, t.rng).lease, OutcomeKind::throttled);
    const Choice none = t.router.pick(ask, t.now, t.rng);
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.cause, Cause::quota);
    EXPECT_EQ(none.retry_in, 10s);
}

TEST(Router, KeepsAPrefixOnOneBackendWhileItIsThere) {
    Bench t({backend("a"), backend("b"), backend("c")});
    std::map<std::uint64_t, BackendIndex> home;
    std::array<int, 3> got{};
    for (int round = 0; round < 5; ++round) {
        for (std::uint64_t prefix = 1; prefix <= 300; ++prefix) {
            Ask ask;
            ask.affinity = prefix;
            const Choice c = t.router.pick(ask, t.now, t.rng);
            if (round == 0) {
                home[prefix] = c.lease.backend;
                ++got.at(c.lease.backend);
            }
            EXPECT_EQ(home[prefix], c.lease.backend);
            t.serve(c.lease);
        }
    }
    EXPECT_THAT(got, Each(testing::AllOf(testing::Gt(60), testing::Lt(140))));
}

TEST(Router, AThrottledDeploymentRestsForTheTimeTold) {
    for (const auto& [told, rests] : {std::pair<std::optional<Duration>, Duration>{5s, 5s},
                                      {std::nullopt, 10s},
                                      {Duration(86'400s), 60s}}) {
        Bench t({backend("a", 1), backend("b", 2)});
        ASSERT_EQ(t.once(OutcomeKind::throttled, told), 0U);
        const auto v = t.router.view(t.now).at(0);
        EXPECT_EQ(v.state, State::throttled);
        EXPECT_EQ(v.reason, "429");
        EXPECT_EQ(v.until, rests);
        t.now += rests - 1ms;
        EXPECT_EQ(t.once(OutcomeKind::served), 1U);
        t.now += 1ms;
        const Choice probe = t.pick();
        EXPECT_EQ(probe.lease.backend, 0U);
        EXPECT_TRUE(probe.lease.probe);
        EXPECT_EQ(t.router.view(t.now).at(0).state, State::probing);
    }
}

TEST(Router, QuotaAndFailuresConcernOneDeployment) {
    Bench t({backend("a", 1), backend("b", 2)});
    t.once(OutcomeKind::throttled, 5s, "gpt-4o");
    EXPECT_EQ(t.pick({}, "gpt-4o").lease.backend, 1U);
    EXPECT_EQ(t.strike_out("embedding"), 0U);
    EXPECT_EQ(t.pick({}, "embedding").lease.backend, 1U);
    EXPECT_EQ(t.pick({}, "another").lease.backend, 0U);
}

TEST(Router, KnowsThatTwoNamesAreOneDeployment) {
    auto a = backend("a", 1);
    a.deployments = {{"gpt-4o", "shared"}, {"gpt-4o-mini", "shared"}};
    Bench t({a, backend("b", 2)});
    t.once(OutcomeKind::throttled, 5s, "gpt-4o");
    EXPECT_EQ(t.pick({}, "gpt-4o-mini").lease.backend, 1U);
    EXPECT_EQ(t.pick({}, "other").lease.backend, 0U);
}

TEST(Router, LeavesClientErrorsAndCancelledRequestsAlone) {
    Bench t({backend("a", 1), backend("b", 2)});
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(t.once(OutcomeKind::client_error), 0U);
        EXPECT_EQ(t.once(OutcomeKind::cancelled), 0U);
    }
    EXPECT_EQ(t.router.view(t.now).at(0).state, State::available);
}

TEST(Router, TellsTheSoonestTimeOfAllWhenNobodyCanServe) {
    Bench t({backend("a"), backend("b"), backend("c")});
    const std::array<Duration, 3> waits{30s, 12s, 20s};
    std::vector<BackendIndex> tried;
    for (int i = 0; i < 3; ++i) {
        Ask ask;
        ask.deployment = t.router.deployment("gpt-4o", t.now);
        ask.tried = tried;
        const Choice c = t.router.pick(ask, t.now, t.rng);
        ASSERT_TRUE(c.found());
        t.end(c.lease, OutcomeKind::throttled, waits.at(c.lease.backend));
        tried.push_back(c.lease.backend);
    }
    EXPECT_EQ(t.pick({0, 1, 2}).retry_in, 12s);  // the request that tried them all
    t.now += 2s;
    const Choice none = t.pick();
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.retry_in, 10s);
    EXPECT_FALSE(t.router.ready(t.now));
    EXPECT_EQ(t.in_flight(), 0U);
}

TEST(Router, SendsOneProbeAndTheOthersWhenItBeganToServe) {
    Bench t({backend("a", 1), backend("b", 2)});
    t.strike_out();
    t.now += 1s;
    const Choice probe = t.pick();
    ASSERT_TRUE(probe.lease.probe);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(t.once(OutcomeKind::served), 1U);
    t.now += 30s;  // however long it takes
    EXPECT_EQ(t.once(OutcomeKind::served), 1U);
    t.router.began(probe.lease, {}, t.now);
    EXPECT_EQ(t.pick().lease.backend, 0U);
}

TEST(Router, CoolsDownAgainWhenTheProbeFails) {
    Bench t({backend("a", 1), backend("b", 2)});
    t.once(OutcomeKind::connect_error);
    for (Duration out = 1s; out < 60s; out *= 2) {
        EXPECT_EQ(t.router.view(t.now).at(0).until, std::min<Duration>(out, 30s));
        EXPECT_EQ(t.pick().lease.backend, 1U);
        t.now += out;
        const Choice probe = t.pick();
        ASSERT_TRUE(probe.lease.probe);
        t.end(probe.lease, OutcomeKind::connect_error);
    }
}

TEST(Router, FreesTheProbeOfACancelledRequest) {
    Bench t({backend("a", 1), backend("b", 2)});
    for (const OutcomeKind kind : {OutcomeKind::throttled, OutcomeKind::connect_error}) {
        t.once(kind, 5s);
        t.now += 5s;
        const Choice first = t.pick();
        ASSERT_TRUE(first.lease.probe);
        t.end(first.lease, OutcomeKind::cancelled);
        const Choice second = t.pick();
        EXPECT_TRUE(second.lease.probe);
        EXPECT_EQ(second.lease.backend, 0U);
        t.serve(second.lease);
        t.now += 20s;
    }
}

TEST(Router, DoesNotProbeWithARequestThatHasFailedAlready) {
    Bench u({backend("a"), backend("b"), backend("c")});
    Ask pin;
    pin.pinned = 0;
    u.end(u.router.pick(pin, u.now, u.rng).lease, OutcomeKind::connect_error, 5s);
    u.now += 5s;
    for (int i = 0; i < 20; ++i) {
        const Choice c = u.pick({1});
        EXPECT_EQ(c.lease.backend, 2U);
        u.serve(c.lease);
    }
    EXPECT_TRUE(u.pick({1, 2}).lease.probe);  // unless nobody else is left
}

TEST(Router, RampsUpAfterRecovery) {
    Bench t({backend("a", 1), backend("b", 2)});
    t.once(OutcomeKind::throttled, 5s);
    t.now += 5s;
    std::vector<Lease> running{t.pick().lease};
    std::vector<std::size_t> rounds;
    for (int round = 0; round < 6; ++round) {
        for (const Lease& lease : running) t.router.began(lease, {}, t.now);
        for (const Lease& lease : running) t.end(lease, OutcomeKind::cancelled);
        running.clear();
        for (;;) {
            const Choice c = t.pick();
            if (c.lease.backend == 1) {
                t.end(c.lease, OutcomeKind::served);
                break;
            }
            running.push_back(c.lease);
            if (running.size() > 500) break;
        }
        rounds.push_back(running.size());
    }
    EXPECT_THAT(rounds, ElementsAre(2, 4, 8, 16, 32, 501));
}

TEST(Router, DoesNotRefuseBecauseOfTheRamp) {
    Bench t({backend("a", 1)});
    t.once(OutcomeKind::throttled, 5s);
    t.now += 5s;
    t.router.began(t.pick().lease, {}, t.now);
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(t.pick().found());
}

TEST(Router, SendsASecondProbeToAThrottledOneIfTheFirstIsSlowAndNobodyElseCanServe) {
    Bench t({backend("a", 1)});
    t.once(OutcomeKind::throttled, 5s);
    t.now += 5s;
    ASSERT_TRUE(t.pick().lease.probe);
    const Choice none = t.pick();
    EXPECT_FALSE(none.found());
    EXPECT_LE(none.retry_in, 1s);
    t.now += none.retry_in;
    EXPECT_TRUE(t.pick().lease.probe);
    EXPECT_FALSE(t.pick().found());
}

TEST(Router, ForgetsOldNewsAfterARecovery) {
    Bench t({backend("a", 1), backend("b", 2)});
    const Lease old = t.pick().lease;
    t.once(OutcomeKind::connect_error, 5s);
    t.now += 5s;
    t.serve(t.pick().lease);
    t.end(old, OutcomeKind::connect_error);  // was sent before the recovery
    EXPECT_EQ(t.router.view(t.now).at(0).state, State::available);
}

TEST(Router, AWaitOfZeroDoesNotSpin) {
    Bench t({backend("a", 1)});
    t.once(OutcomeKind::throttled, 0s);
    const Choice none = t.pick();
    EXPECT_FALSE(none.found());
    EXPECT_GT(none.retry_in, 10ms);
    EXPECT_LT(none.retry_in, 1s);
}

TEST(Router, TakesABackendOutOfRotationAndPutsItBack) {
    Bench t({backend("a", 1), backend("b", 2)});
    t.router.set_mode(0, Mode::off);
    EXPECT_EQ(t.pick().lease.backend, 1U);
    EXPECT_EQ(t.router.view(t.now).at(0).state, State::disabled);
    t.router.set_mode(1, Mode::off);
    EXPECT_FALSE(t.router.ready(t.now));
    const Choice none = t.pick();
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.cause, Cause::out_of_rotation);
    t.router.set_mode(0, Mode::on);
    t.router.set_mode(99, Mode::off);
    EXPECT_TRUE(t.router.ready(t.now));
    EXPECT_EQ(t.pick().lease.backend, 0U);
}

TEST(Router, ADrainingBackendServesOnlyWhatMustGoThere) {
    Bench t({backend("a", 1), backend("b", 2)});
    const Choice before = t.pick();
    t.router.set_mode(0, Mode::draining);
    const auto shown = t.router.view(t.now).at(0);
    EXPECT_EQ(shown.state, State::draining);
    EXPECT_EQ(shown.reason, "draining");
    EXPECT_EQ(shown.in_flight, 1U) << "it goes on";
    const Choice next = t.pick();
    EXPECT_EQ(next.lease.backend, 1U);
    EXPECT_FALSE(next.lease.spilled) << "nothing better is in rotation";
    Ask ask;
    ask.deployment = t.router.deployment("gpt-4o", t.now);
    ask.pinned = 0;
    EXPECT_EQ(t.router.pick(ask, t.now, t.rng).lease.backend, 0U);
    t.router.set_mode(0, Mode::off);
    EXPECT_FALSE(t.router.pick(ask, t.now, t.rng).found());
    t.serve(before.lease);
    EXPECT_EQ(t.router.view(t.now).at(0).served, 1U);
}

TEST(Router, CountsWhatSpillsOver) {
    Bench t({backend("a", 1), backend("b", 1), backend("c", 2)});
    const Choice first = t.pick();
    EXPECT_FALSE(first.lease.spilled);
    const BackendIndex other = 1 - first.lease.backend;
    t.end(first.lease, OutcomeKind::throttled, 30s);
    const Choice second = t.pick({first.lease.backend});
    EXPECT_EQ(second.lease.backend, other);
    EXPECT_TRUE(second.lease.spilled) << "another failed first";
    t.serve(second.lease);
    t.once(OutcomeKind::throttled, 30s);
    const Choice third = t.pick();
    EXPECT_EQ(third.lease.backend, 2U);
    EXPECT_TRUE(third.lease.spilled) << "a better priority was passed over";
    t.end(third.lease, OutcomeKind::server_error);
    const auto views = t.router.view(t.now);
    EXPECT_EQ(views.at(other).spilled, 1U);
    EXPECT_EQ(views.at(2).spilled, 0U) << "it was not served";
}

TEST(Router, CountsThe429sItDidNotMeet) {
    auto a = backend("a", 1, 3);
    auto b = backend("b", 1, 1);
    auto c = backend("c", 2);
    for (auto* one : {&a, &b}) one->tpm = 1000;
    Bench t({a, b, c});
    t.tokens = 1000;
    const Choice first = t.pick();
    EXPECT_EQ(first.avoided, 0);
    // One is full. By weight alone, so many requests would have met it.
    const double share = first.lease.backend == 0 ? 0.75 : 0.25;
    const Choice second = t.pick();
    EXPECT_DOUBLE_EQ(second.avoided, share);
    EXPECT_NE(second.lease.backend, first.lease.backend);
    const Choice third = t.pick();
    EXPECT_EQ(third.lease.backend, 2U);
    EXPECT_DOUBLE_EQ(third.avoided, 1);
    EXPECT_DOUBLE_EQ(t.pick({2}).avoided, 0) << "no first attempt";
    const auto views = t.router.view(t.now);
    EXPECT_NEAR(views.at(0).avoided + views.at(1).avoided, 1 + share, 1e-5);
    EXPECT_GT(views.at(0).deployments.at(0).tokens_reset, Duration::zero());
    EXPECT_LE(views.at(0).deployments.at(0).tokens_reset, 60s);
}

TEST(Router, CountsAndShowsWhatItKnows) {
    Bench t({backend("a", 1, 5)});
    EXPECT_EQ(t.router.size(), 1U);
    const Choice running = t.pick({}, "gpt-4o");
    EXPECT_EQ(t.in_flight(), 2U);  // the backend and its deployment
    t.once(OutcomeKind::served, {}, "gpt-4o");
    t.once(OutcomeKind::throttled, 5s, "embedding");
    const auto v = t.router.view(t.now).at(0);
    EXPECT_EQ(v.name, "a");
    EXPECT_EQ(v.weight, 5U);
    EXPECT_EQ(v.served, 1U);
    EXPECT_EQ(v.throttled, 1U);
    EXPECT_EQ(v.state, State::available);  // gpt-4o is
    ASSERT_EQ(v.deployments.size(), 2U);
    EXPECT_EQ(v.deployments[0].name, "gpt-4o");
    EXPECT_EQ(v.deployments[0].in_flight, 1U);
    EXPECT_EQ(v.deployments[1].state, State::throttled);
    EXPECT_EQ(v.deployments[1].until, 5s);
    t.serve(running.lease);
    EXPECT_EQ(t.in_flight(), 0U);
}

TEST(Router, MadeUpNamesPushOutEachOtherOnly) {
    Bench t({backend("a", 1), backend("b", 2)});
    t.serve(t.pick({}, "real").lease);
    EXPECT_EQ(t.once(OutcomeKind::throttled, 50s, "busy"), 0U);
    for (int i = 0; i < 5000; ++i) {
        const Choice c = t.pick({}, "made-up-" + std::to_string(i));
        Evidence e;
        e.status = 404;
        e.code = "DeploymentNotFound";
        t.router.ended(c.lease, outcome_of(blame(e, {}), 404), t.now);
        if (i % 100 == 0) t.now += 1s;
    }
    EXPECT_EQ(t.once(OutcomeKind::throttled, 50s, "busy"), 0U) << "it has been 50 s";
    EXPECT_EQ(t.pick({}, "busy").lease.backend, 1U);
    EXPECT_EQ(t.pick({}, "new and real").lease.backend, 0U) << "another name's 429 is not its own";
    EXPECT_THAT(t.router.models(), ElementsAre("busy", "real"));
}

TEST(Router, WithoutBackendsSaysSo) {
    Bench t({});
    EXPECT_FALSE(t.pick().found());
    EXPECT_FALSE(t.router.ready(t.now));
    t.router.began(Lease{}, {}, t.now);
    t.end(Lease{}, OutcomeKind::served);
}

TEST(Router, GivesRetriesAsTheBudgetAllows) {
    config::RetryConfig retry;
    retry.budget = {0.5, 2};
    Bench t({backend("a")}, retry);
    EXPECT_TRUE(t.router.try_retry(0, t.now));
    EXPECT_TRUE(t.router.try_retry(0, t.now));
    EXPECT_FALSE(t.router.try_retry(0, t.now));
    t.router.request_came();
    EXPECT_FALSE(t.router.try_retry(0, t.now));
    t.router.request_came();
    EXPECT_TRUE(t.router.try_retry(0, t.now));
    for (int i = 0; i < 100; ++i) t.router.request_came();
    EXPECT_TRUE(t.router.try_retry(0, t.now));
    EXPECT_TRUE(t.router.try_retry(0, t.now));
    EXPECT_FALSE(t.router.try_retry(0, t.now));
}

TEST(Router, EveryValueHasAName) {
    for (int i = 0; i <= static_cast<int>(Cause::too_large); ++i)
        EXPECT_FALSE(to_string(static_cast<Cause>(i)).empty());
    for (int i = 0; i <= static_cast<int>(OutcomeKind::cancelled); ++i)
        EXPECT_FALSE(to_string(static_cast<OutcomeKind>(i)).empty());
    for (int i = 0; i <= static_cast<int>(State::disabled); ++i)
        EXPECT_FALSE(to_string(static_cast<State>(i)).empty());
}

}  // namespace
}  // namespace spillway::routing
