/// Routers with hundreds of backends of one priority, of which each request looks at a few.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "routing/router_fixture.hpp"

namespace spillway::routing {
namespace {

constexpr BackendIndex many = 300;

std::vector<config::BackendConfig> backends(BackendIndex count = many) {
    std::vector<config::BackendConfig> out;
    for (BackendIndex i = 0; i < count; ++i) out.push_back(backend("backend-" + std::to_string(i)));
    return out;
}

Choice pick(Bench& t, Ask ask) {
    ask.deployment = t.router.deployment("gpt-4o", t.now);
    ask.tokens = t.tokens;
    return t.router.pick(ask, t.now, t.rng);
}

Choice pick_as(Bench& t, std::uint64_t key) {
    Ask ask;
    ask.subset_key = key;
    return pick(t, ask);
}

Choice pick_prefix(Bench& t, std::uint64_t affinity) {
    Ask ask;
    ask.affinity = affinity;
    return pick(t, ask);
}

Choice pick_pinned(Bench& t, BackendIndex pinned) {
    Ask ask;
    ask.pinned = pinned;
    return pick(t, ask);
}

/// Uses up all of its quota.
void fill(Bench& t, BackendIndex backend) {
    const auto tokens = t.tokens;
    t.tokens = t.configs.at(backend).tpm.value();
    const Choice c = pick_pinned(t, backend);
    ASSERT_TRUE(c.found());
    t.serve(c.lease);
    t.tokens = tokens;
}

TEST(LargeGroup, SharesByWeight) {
    auto configs = backends();
    for (BackendIndex i = 0; i < many; ++i) configs[i].weight = 1 + i % 3;
    Bench t(configs);
    std::map<std::uint32_t, int> by_weight;
    std::map<BackendIndex, int> got;
    for (int i = 0; i < 60'000; ++i) {
        const Choice c = t.pick();
        ++by_weight[configs[c.lease.backend].weight];
        ++got[c.lease.backend];
        t.serve(c.lease);
    }
    EXPECT_NEAR(by_weight[1], 10'000, 400);
    EXPECT_NEAR(by_weight[2], 20'000, 500);
    EXPECT_NEAR(by_weight[3], 30'000, 500);
    EXPECT_EQ(got.size(), many);
    for (const auto& [index, count] : got) EXPECT_NEAR(count, 100 * (1 + index % 3), 100);
}

TEST(LargeGroup, TakesTheOneWithMoreHeadroomOfThoseDrawn) {
    auto configs = backends();
    for (auto& c : configs) c.tpm = 1000;
    Bench t(configs);
    for (BackendIndex i = 0; i < many / 2; ++i) {
        t.tokens = 850;
        t.serve(pick_pinned(t, i).lease);
    }
    t.tokens = 10;
    int used = 0;
    for (int i = 0; i < 1000; ++i) {
        const Choice c = t.pick();
        used += c.lease.backend < many / 2 ? 1 : 0;
        t.serve(c.lease);
    }
    // All of those drawn are of the used half in one of 16 requests; one draw alone would give a half.
    EXPECT_NEAR(used, 1000 / 16, 25);
}

TEST(LargeGroup, LeavesTheOneThatCollectsRequests) {
    Bench t(backends());
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(pick_pinned(t, 7).found());  // it never answers
    for (int i = 0; i < 5000; ++i) {
        const Choice c = t.pick();
        EXPECT_NE(c.lease.backend, 7U);
        t.serve(c.lease);
    }
}

TEST(LargeGroup, FindsTheOnlyOneThatCanServe) {
    for (const bool off : {false, true}) {
        auto configs = backends();
        for (auto& c : configs) c.tpm = 1000;
        Bench t(configs);
        for (BackendIndex i = 0; i < many; ++i) {
            if (i == 123) continue;
            if (off)
                t.router.set_mode(i, i % 2 == 0 ? Mode::off : Mode::draining);
            else
                t.end(pick_pinned(t, i).lease, OutcomeKind::throttled, 30s);
        }
        for (int i = 0; i < 9; ++i) {
            const Choice c = t.pick();
            EXPECT_EQ(c.lease.backend, 123U);
            t.serve(c.lease);
        }
        EXPECT_EQ(pick_prefix(t, 5).lease.backend, 123U);
        const Choice none = t.pick({123});
        EXPECT_FALSE(none.found());
        EXPECT_GE(none.retry_in, off ? 1ms : 30s - 1ms);
    }
}

TEST(LargeGroup, SpillsOverOnlyWhenNobodyHasRoom) {
    auto configs = backends();
    for (auto& c : configs) c.tpm = 1000;
    configs.push_back(backend("spare", 2));
    Bench t(configs);
    t.tokens = 1000;
    for (BackendIndex i = 0; i < many; ++i) {
        const Choice c = t.pick();
        EXPECT_LT(c.lease.backend, many);
        EXPECT_FALSE(c.lease.spilled);
        t.serve(c.lease);
    }
    const Choice spilled = t.pick();
    EXPECT_EQ(spilled.lease.backend, many);
    EXPECT_TRUE(spilled.lease.spilled);
    for (BackendIndex i = 0; i < many; ++i) t.router.set_mode(i, Mode::off);
    const Choice alone = t.pick();
    EXPECT_EQ(alone.lease.backend, many);
    EXPECT_FALSE(alone.lease.spilled) << "nothing better is in rotation";
    t.router.set_mode(17, Mode::on);
    EXPECT_TRUE(t.pick({17}).lease.spilled);
}

TEST(LargeGroup, DoesNotPickTriedOnesNorThoseOutOfRotation) {
    Bench t(backends(12));
    for (BackendIndex i = 4; i < 8; ++i) t.router.set_mode(i, i % 2 == 0 ? Mode::off : Mode::draining);
    std::set<BackendIndex> got;
    for (int i = 0; i < 2000; ++i) {
        const Choice c = t.pick({0, 1, 2, 3});
        got.insert(c.lease.backend);
        t.serve(c.lease);
    }
    EXPECT_EQ(got, (std::set<BackendIndex>{8, 9, 10, 11}));
}

TEST(LargeGroup, LooksOnlyAtThePinnedOne) {
    Bench t(backends());
    for (BackendIndex i = 0; i < many; ++i) {
        const Choice c = pick_pinned(t, i);
        EXPECT_EQ(c.lease.backend, i);
        t.serve(c.lease);
    }
    t.router.set_mode(5, Mode::draining);
    EXPECT_EQ(pick_pinned(t, 5).lease.backend, 5U);
    t.end(pick_pinned(t, 5).lease, OutcomeKind::throttled, 7s);
    EXPECT_EQ(pick_pinned(t, 5).retry_in, 7s);
    EXPECT_FALSE(pick_pinned(t, many).found());
}

TEST(LargeGroup, ProbesOneThatCooledDownOnceAndSoon) {
    Bench t(backends());
    t.end(pick_pinned(t, 42).lease, OutcomeKind::connect_error, 5s);
    for (int i = 0; i < 2000; ++i) EXPECT_NE(t.once(OutcomeKind::served), 42U);
    t.now += 5s;
    int until_probe = 0;
    Choice probe;
    for (; until_probe < 2000; ++until_probe) {
        probe = t.pick();
        if (probe.lease.probe) break;
        t.serve(probe.lease);
    }
    EXPECT_LT(until_probe, 500) << "4 of 300 are looked at each time";
    EXPECT_EQ(probe.lease.backend, 42U);
    for (int i = 0; i < 2000; ++i) EXPECT_NE(t.once(OutcomeKind::served), 42U) << "one probe";
    t.serve(probe.lease);
    std::vector<Lease> running;
    int to_it = 0;
    for (int i = 0; i < 3000; ++i) {
        const Choice c = t.pick();
        to_it += c.lease.backend == 42 ? 1 : 0;
        running.push_back(c.lease);
    }
    EXPECT_GE(to_it, 2);
    EXPECT_LE(to_it, 3) << "it ramps up: two at once, one more for the probe's end";
}

TEST(LargeGroup, ARequestThatFailedIsNoProbe) {
    Bench t(backends(9));
    for (BackendIndex i = 0; i < 8; ++i) t.end(pick_pinned(t, i).lease, OutcomeKind::connect_error, 5s);
    t.now += 5s;
    // Whoever draws 8 among others sends the request there; who draws probes alone probes.
    int probes = 0;
    for (int i = 0; i < 300; ++i) {
        const Choice c = t.pick({7});
        probes += c.lease.probe ? 1 : 0;
        t.end(c.lease, OutcomeKind::cancelled);
    }
    EXPECT_NEAR(probes, 300 * 0.62, 40);  // (8/9)⁴: none of four draws was 8
}

TEST(LargeGroup, KeepsAPrefixOnOneBackendWhileItHasHeadroom) {
    auto configs = backends();
    for (auto& c : configs) c.tpm = 100'000;
    Bench t(configs);
    std::map<std::uint64_t, BackendIndex> home;
    for (int round = 0; round < 3; ++round)
        for (std::uint64_t prefix = 1; prefix <= 2000; ++prefix) {
            const Choice c = pick_prefix(t, prefix);
            const auto [at, fresh] = home.emplace(prefix, c.lease.backend);
            EXPECT_EQ(at->second, c.lease.backend);
            t.serve(c.lease);
        }
    std::set<BackendIndex> used;
    for (const auto& [prefix, index] : home) used.insert(index);
    EXPECT_GT(used.size(), many * 9 / 10);

    // One that is full gives its prefixes up, one that is out gives each to another, and no other moves.
    fill(t, home[1]);
    EXPECT_NE(pick_prefix(t, 1).lease.backend, home[1]);
    t.router.set_mode(home[2], Mode::off);
    std::set<BackendIndex> heirs;
    for (const auto& [prefix, index] : home) {
        if (index == home[1]) continue;
        const Choice c = pick_prefix(t, prefix);
        if (index == home[2]) {
            EXPECT_EQ(pick_prefix(t, prefix).lease.backend, c.lease.backend);
            heirs.insert(c.lease.backend);
        } else {
            EXPECT_EQ(c.lease.backend, index);
        }
    }
    EXPECT_GT(heirs.size(), 1U);
}

TEST(LargeGroup, CountsThe429sItDidNotMeetWithoutBias) {
    // A tenth cools down, and of the weight that is open 30, 60, 90 or all percent are full.
    for (const auto& [full, key] :
         {std::pair{81U, 0U}, {162U, 0U}, {243U, 0U}, {270U, 0U}, {81U, 1U}, {243U, 1U}}) {
        auto configs = backends();
        for (auto& c : configs) c.tpm = 1'000'000'000;
        configs.push_back(backend("spare", 2));
        Bench t(configs);
        for (BackendIndex i = 270; i < many; ++i) t.end(pick_pinned(t, i).lease, OutcomeKind::throttled, 60s);
        for (BackendIndex i = 0; i < full; ++i) fill(t, i);
        double before = 0;
        for (const auto& v : t.router.view(t.now)) before += v.avoided;
        double sum = 0;
        constexpr int requests = 4000;
        for (int i = 0; i < requests; ++i) {
            const Choice c = pick_as(t, key);
            sum += c.avoided;
            t.serve(c.lease);
            if (key != 0) t.now += 10ms;  // two requests for each subset
        }
        EXPECT_NEAR(sum / requests, full / 270.0, 0.015);
        double after = 0;
        for (const auto& v : t.router.view(t.now)) after += v.avoided;
        EXPECT_NEAR(after - before, sum, 0.01);
    }
}

TEST(LargeGroup, OneKeysRequestsOfAMomentGoToFew) {
    Bench t(backends());
    std::set<BackendIndex> all;
    for (const std::uint64_t key : {0x1234'5678'9abc'def0U, 0xfedc'ba98'7654'3210U}) {
        std::set<BackendIndex> got;
        for (int i = 0; i < 2000; ++i) {
            const Choice c = pick_as(t, key);
            got.insert(c.lease.backend);
            t.serve(c.lease);
        }
        EXPECT_LE(got.size(), 8U);
        EXPECT_GE(got.size(), 6U);
        all.insert(got.begin(), got.end());
    }
    EXPECT_GT(all.size(), 12U) << "each key has a subset of its own";
}

TEST(LargeGroup, SubsetsAreSharedOutByWeight) {
    auto configs = backends();
    for (BackendIndex i = 0; i < many; ++i) configs[i].weight = 1 + i % 3;
    Bench t(configs);
    std::map<std::uint32_t, int> by_weight;
    std::map<BackendIndex, int> got;
    constexpr int requests = 240'000;
    for (int i = 0; i < requests; ++i) {
        const Choice c = pick_as(t, 99);
        ++by_weight[configs[c.lease.backend].weight];
        ++got[c.lease.backend];
        t.serve(c.lease);
        t.now += 250us;  // 80 in a subset's time
    }
    for (const std::uint32_t weight : {1U, 2U, 3U})
        EXPECT_NEAR(by_weight[weight], requests / 6 * weight, requests / 100);
    EXPECT_EQ(got.size(), many);
    for (const auto& [index, count] : got) EXPECT_NEAR(count, 400 * (1 + index % 3), 400);
}

TEST(LargeGroup, ASubsetIsLeftWhenQuotaGetsScarce) {
    auto configs = backends();
    for (auto& c : configs) c.tpm = 1000;
    Bench t(configs);
    t.tokens = 10;
    std::map<BackendIndex, int> got;
    for (int i = 0; i < 9000; ++i) {  // three tenths of all quota, within one subset's time
        const Choice c = pick_as(t, 7);
        ASSERT_TRUE(c.found());
        ++got[c.lease.backend];
        t.serve(c.lease);
    }
    EXPECT_GT(got.size(), 290U);
    // The subset's ones got half of theirs, and then their part of what was drawn of all.
    for (const auto& [index, count] : got) EXPECT_LE(count, 50 + 45) << index;
}

TEST(LargeGroup, ASubsetLeavesTheOneThatCollectsRequests) {
    Bench t(backends());
    const BackendIndex stuck = pick_as(t, 5).lease.backend;
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(pick_pinned(t, stuck).found());  // it never answers
    int again = 0;
    for (int i = 0; i < 2000; ++i) {
        const Choice c = pick_as(t, 5);
        again += c.lease.backend == stuck ? 1 : 0;
        t.serve(c.lease);
    }
    EXPECT_LE(again, 2) << "only where all four draws are the same";
}

TEST(LargeGroup, EachOfManyPrioritiesIsLookedAtInTurn) {
    std::vector<config::BackendConfig> configs;
    for (std::uint32_t i = 0; i < many; ++i) configs.push_back(backend(std::to_string(i), many - i));
    Bench t(configs);
    for (BackendIndex i = many; i-- > 0;) {
        const Choice c = t.pick();
        EXPECT_EQ(c.lease.backend, i);
        EXPECT_EQ(c.lease.spilled, i != many - 1);
        t.end(c.lease, OutcomeKind::throttled, 30s);
    }
    EXPECT_EQ(t.pick().retry_in, 30s);
}

}  // namespace
}  // namespace spillway::routing
