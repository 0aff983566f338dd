#include "quota/client_limit.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/rng.hpp"
#include "quota/client_time.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;
using test::at;

/// The store's rule, in memory.
struct Shelf {
    struct Entry {
        std::int64_t used = 0;
        std::int64_t lease = 0;
    };
    std::map<std::size_t, Entry> entries;
    std::map<std::size_t, bool> hungry;

    ShareAnswer answer(std::size_t replica, const ShareReport& report) {
        ShareAnswer out;
        std::int64_t leases = 0;
        out.replicas = 0;
        entries[replica] = {};
        for (const auto& [id, entry] : entries) {
            out.others += entry.used;
            leases += entry.lease;
            ++out.replicas;
        }
        const std::int64_t free = std::max<std::int64_t>(0, report.limit - report.used - out.others - leases);
        out.granted = std::min(report.want, free);
        hungry[replica] = report.want > free;
        out.contended = std::any_of(hungry.begin(), hungry.end(), [](const auto& h) { return h.second; });
        entries[replica] = {report.used, out.granted};
        return out;
    }
    template <class Usage>
    void exchange(std::size_t replica, Limit<Usage>& limit, Now now) {
        const ShareReport report = limit.report(now);
        limit.apply(report, answer(replica, report), now);
    }
};

TEST(Limit, AloneItHoldsTheWholeLimit) {
    Limit<MinuteUsage> limit;
    EXPECT_EQ(limit.reserve(5, at(0s)), Verdict::admitted);  // no limit yet: only counted
    EXPECT_EQ(limit.report(at(0s)).limit, 0);
    limit.set_limit(100);
    EXPECT_EQ(limit.remaining(at(0s)), 95);
    EXPECT_EQ(limit.reserve(96, at(0s)), Verdict::refused);
    EXPECT_EQ(limit.reserve(95, at(0s)), Verdict::admitted);
    limit.charge(10, at(1s));
    EXPECT_EQ(limit.used_here(at(1s)), 110);
    EXPECT_EQ(limit.remaining(at(1s)), 0);
}

TEST(Limit, SharedItIsPaidFromTheLease) {
    Shelf store;
    Limit<MinuteUsage> a;
    Limit<MinuteUsage> b;
    a.set_limit(1000);
    b.set_limit(1000);
    store.exchange(1, a, at(0s));
    store.exchange(2, b, at(0s));
    store.exchange(1, a, at(0s));
    EXPECT_TRUE(a.shared());
    // A quarter of what is free, for a burst; more is a matter of a moment, since there is room.
    EXPECT_EQ(a.reserve(250, at(1s)), Verdict::admitted);
    EXPECT_EQ(a.reserve(600, at(1s)), Verdict::lease_short);
    EXPECT_EQ(a.reserve(751, at(1s)), Verdict::refused);
    store.exchange(1, a, at(1s));
    store.exchange(2, b, at(1s));
    EXPECT_EQ(b.remaining(at(1s)), 750);
    EXPECT_EQ(b.used_everywhere(at(1s)), 250);
}

TEST(Limit, OneReplicaGetsAllIfTheOthersRest) {
    Shelf store;
    std::array<Limit<MinuteUsage>, 3> replicas;
    for (auto& r : replicas) r.set_limit(1000);
    for (int round = 0; round < 3; ++round)
        for (std::size_t i = 0; i < 3; ++i) store.exchange(i, replicas[i], at(0s));
    std::int64_t admitted = 0;
    for (int round = 0; round < 60; ++round) {
        for (int i = 0; i < 5; ++i)
            if (replicas[0].reserve(20, at(1s)) == Verdict::admitted) admitted += 20;
        for (std::size_t i = 0; i < 3; ++i) store.exchange(i, replicas[i], at(1s));
    }
    EXPECT_EQ(admitted, 1000);
}

TEST(Limit, CutOffEachHoldsItsShareAndReconciles) {
    Shelf store;
    std::array<Limit<MinuteUsage>, 2> replicas;
    for (auto& r : replicas) r.set_limit(1000);
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < 2; ++i) store.exchange(i, replicas[i], at(0s));
    EXPECT_EQ(replicas[0].reserve(200, at(0s)), Verdict::admitted);
    for (auto& r : replicas) r.cut_off(2);
    EXPECT_EQ(replicas[0].own_cap(), 500);
    EXPECT_EQ(replicas[0].reserve(301, at(1s)), Verdict::refused);
    EXPECT_EQ(replicas[0].reserve(300, at(1s)), Verdict::admitted);
    EXPECT_EQ(replicas[1].reserve(500, at(1s)), Verdict::admitted);
    // Back, with an empty store: the reports make it whole, and nothing is left to give.
    store.entries.clear();
    for (std::size_t i = 0; i < 2; ++i) store.exchange(i, replicas[i], at(2s));
    for (std::size_t i = 0; i < 2; ++i) store.exchange(i, replicas[i], at(2s));
    EXPECT_EQ(replicas[0].used_everywhere(at(2s)), 1000);
    EXPECT_EQ(replicas[0].reserve(1, at(2s)), Verdict::refused);
    EXPECT_EQ(replicas[1].reserve(1, at(2s)), Verdict::refused);
}

TEST(Limit, WhatIsGivenBackServesAnyReplica) {
    Shelf store;
    std::array<Limit<MinuteUsage>, 2> replicas;
    for (auto& r : replicas) r.set_limit(100);
    const auto exchange = [&](Duration t) {
        for (int round = 0; round < 3; ++round)
            for (std::size_t i = 0; i < 2; ++i) store.exchange(i, replicas[i], at(t));
    };
    exchange(0s);
    std::int64_t held = 0;
    while (replicas[0].reserve(5, at(0s)) == Verdict::admitted || held < 100) {
        held += 5;
        exchange(0s);
        ASSERT_LT(held, 200);
    }
    EXPECT_EQ(replicas[1].reserve(20, at(1s)), Verdict::refused);
    replicas[0].give_back(held / 2, at(0s));
    for (int i = 0; i < 20 && replicas[1].reserve(5, at(1s)) != Verdict::admitted; ++i) exchange(1s);
    EXPECT_EQ(replicas[1].used_here(at(1s)), 5);
}

/// Replicas report at random moments, lose the store at random; together they never pass the limit while it
/// is there, and nearly all of it can be used.
TEST(Limit, PropertyReplicasTogetherNeverPassTheLimit) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Rng rng(seed);
        constexpr std::int64_t kLimit = 10'000;
        const std::size_t count = 2 + rng.below(4);
        Shelf store;
        std::vector<std::unique_ptr<Limit<MinuteUsage>>> replicas;
        for (std::size_t i = 0; i < count; ++i) {
            replicas.push_back(std::make_unique<Limit<MinuteUsage>>());
            replicas.back()->set_limit(kLimit);
            store.exchange(i, *replicas.back(), at(0s));
        }
        std::deque<std::pair<Duration, std::int64_t>> admitted;
        Duration t{};
        std::int64_t in_window = 0;
        std::int64_t most = 0;
        for (int i = 0; i < 40'000; ++i) {
            t += std::chrono::microseconds(rng.below(20'000));
            const std::size_t who = rng.below(count);
            if (rng.below(5) == 0) store.exchange(who, *replicas[who], at(t));
            const auto n = static_cast<std::int64_t>(1 + rng.below(200));
            if (replicas[who]->reserve(n, at(t)) == Verdict::admitted) {
                const auto back = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(n)));
                replicas[who]->give_back(back, at(t));
                admitted.emplace_back(t, n - back);
                in_window += n - back;
            }
            while (!admitted.empty() && admitted.front().first <= t - 60s) {
                in_window -= admitted.front().second;
                admitted.pop_front();
            }
            most = std::max(most, in_window);
            ASSERT_LE(in_window, kLimit);
        }
        EXPECT_GT(most, kLimit * 9 / 10) << "too much of the limit lies idle in leases";
    }
}

TEST(Limit, ConcurrencyIsSharedToo) {
    Shelf store;
    std::array<Limit<MomentUsage>, 2> replicas;
    for (auto& r : replicas) r.set_limit(10);
    std::int64_t inside = 0;
    for (int round = 0; round < 50; ++round)
        for (std::size_t i = 0; i < 2; ++i) {
            if (replicas[i].shared() && replicas[i].reserve(1, at(0s)) == Verdict::admitted) ++inside;
            store.exchange(i, replicas[i], at(0s));
        }
    EXPECT_EQ(inside, 10);
}

TEST(Limit, APeriodIsToldByItsIndexAndLivesToItsEnd) {
    PeriodUsage::Sum sum{0};
    Limit<PeriodUsage> limit(Period::day, sum);
    limit.set_limit(50);
    limit.charge(20, at(0s));
    const ShareReport report = limit.report(at(0s));
    EXPECT_EQ(report.epoch, period_index(Period::day, at(0s).wall));
    EXPECT_EQ(report.used, 20);
    EXPECT_GT(report.usage_life, 12h);
}

}  // namespace
}  // namespace spillway::quota
