/// Many threads on one router: run it under ThreadSanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "routing/attempt_history.hpp"
#include "routing/deployment_table.hpp"
#include "routing/router_fixture.hpp"

namespace spillway::routing {
namespace {

TEST(Stress, ManyThreadsLeakNothing) {
    std::vector<config::BackendConfig> backends{backend("a", 1, 3), backend("b", 1, 1), backend("c", 2)};
    backends[0].tpm = 200'000;
    backends[1].rpm = 6'000;
    backends[2].ptu = true;
    backends[2].tpm = 500'000;
    Bench t(backends);
    std::atomic<std::int64_t> clock{0};
    std::atomic<std::uint64_t> found{0};
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 4; ++n)
        threads.emplace_back([&, n] {
            Rng rng(n + 100);
            std::vector<Lease> held;
            const auto now = [&] { return t.now + std::chrono::milliseconds(5 * clock.fetch_add(1)); };
            const auto finish = [&](const Lease& lease) {
                Outcome o = outcome_of(verdict_of(rng.below(10) == 0 ? static_cast<OutcomeKind>(rng.below(9))
                                                                     : OutcomeKind::served));
                if (rng.below(2) == 0) o.retry_after = std::chrono::milliseconds(rng.below(200));
                o.limits.limit_tokens = 200'000;
                o.limits.remaining_tokens = static_cast<std::int64_t>(rng.below(200'000));
                o.tokens = rng.below(500);
                if (o.kind == OutcomeKind::served) t.router.began(lease, o.limits, now());
                AttemptHistory history;
                t.router.ended(lease, o, now(), rng.below(2) == 0 ? &history : nullptr);
            };
            for (int i = 0; i < 4000; ++i) {
                Ask ask;
                ask.deployment = t.router.deployment("d" + std::to_string(rng.below(400)), now());
                ask.tokens = rng.below(1000);
                ask.affinity = rng.below(3);
                ask.fingerprint = rng.below(50);
                ask.operation = static_cast<OperationIndex>(rng.below(4));
                t.router.request_came();
                (void)t.router.try_retry(ask.fingerprint, now());
                const Choice c = t.router.pick(ask, now(), rng);
                if (c.found()) {
                    found.fetch_add(1);
                    held.push_back(c.lease);
                } else {
                    ASSERT_GE(c.retry_in, 1ms);
                }
                if (!held.empty() && (held.size() > 20 || rng.below(2) == 0)) {
                    finish(held.back());
                    held.pop_back();
                }
                if (i % 500 == 0) (void)t.router.view(now());
                if (i % 900 == 0) {
                    const Router next(t.configs, {}, {}, &t.router);
                    (void)next.models();
                    (void)t.router.fetch_changes();
                }
                if (i % 700 == 0) t.router.set_mode(2, static_cast<Mode>(rng.below(3)));
            }
            for (const Lease& lease : held) finish(lease);
        });
    for (auto& thread : threads) thread.join();
    t.now += std::chrono::hours(1);
    EXPECT_GT(found.load(), 200U);
    EXPECT_EQ(t.in_flight(), 0U);
    for (const auto& v : t.router.view(t.now))
        for (const auto& d : v.deployments) EXPECT_EQ(d.reserved_tokens, 0U);
}

TEST(Stress, OneProbeAmongManyThreads) {
    for (int round = 0; round < 50; ++round) {
        Bench t({backend("a")});
        t.once(OutcomeKind::throttled, 5s);
        t.now += 5s;
        std::atomic<int> probes{0};
        std::vector<std::thread> threads;
        for (unsigned n = 0; n < 4; ++n)
            threads.emplace_back([&, n] {
                Rng rng(n);
                for (int i = 0; i < 20; ++i) {
                    Ask ask;
                    ask.deployment = t.router.deployment("gpt-4o", t.now);
                    ask.tokens = 10;
                    if (t.router.pick(ask, t.now, rng).found()) ++probes;
                }
            });
        for (auto& thread : threads) thread.join();
        ASSERT_EQ(probes.load(), 1);
    }
}

TEST(Stress, NamesAreInternedOnce) {
    DeploymentTable table(64, nullptr);
    std::vector<std::vector<std::uint32_t>> seen(4);
    std::vector<std::thread> threads;
    for (std::size_t n = 0; n < seen.size(); ++n)
        threads.emplace_back([&, n] {
            for (int i = 0; i < 200; ++i)
                seen[n].push_back(table.intern("name-" + std::to_string(i % 50), Mono(1s)));
        });
    for (auto& thread : threads) thread.join();
    for (const auto& s : seen) EXPECT_EQ(s, seen[0]);
    EXPECT_EQ(table.size(), 51U);
}

TEST(Stress, NamesThatComeAndGoAreFoundOrNew) {
    DeploymentTable table(64, nullptr);
    const auto kept = table.intern("kept", Mono(1s));
    table.prove(kept);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 4; ++n)
        threads.emplace_back([&, n] {
            for (int i = 0; i < 2000; ++i) {
                // Eight seconds: what was taken out is kept for ten, and no look-up takes so long in real
                // time.
                const Mono now(std::chrono::milliseconds(1000 + 4 * i));
                if (table.intern(std::to_string(n) + "-" + std::to_string(i % 300), now) > table.overflow())
                    ++wrong;
                if (table.intern("kept", now) != kept) ++wrong;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong.load(), 0);
    EXPECT_LE(table.size(), 64U);
}

}  // namespace
}  // namespace spillway::routing
