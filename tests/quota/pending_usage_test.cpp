#include "quota/pending_usage.hpp"

#include <gtest/gtest.h>

#include "quota/client_time.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;
using test::at;

class Pending : public testing::Test {
protected:
    /// A background response of up to `tokens`, as far as it is admitted.
    std::optional<PendingWork> asked(std::int64_t tokens, Now now, std::string client = "app") {
        Refusal why;
        auto grant = quotas.admit({&app}, {tokens, tokens}, now, why);
        if (!grant) return std::nullopt;
        PendingWork work;
        work.grant = std::move(*grant);
        work.client = std::move(client);
        return work;
    }
    ClientQuotas quotas;
    Subject& app =
        quotas.find_or_add(SubjectKind::client, "app",
                           {.tokens_per_minute = 10'000, .concurrency = 3, .budget = {0, 1'000'000, 0, 0}});
    PendingUsage pending{{.most = 4, .most_of_one = 2, .age = 1h}};
};

TEST_F(Pending, BackgroundResponsesStayWithinTheLimit) {
    int admitted = 0;
    for (int i = 0; i < 200; ++i) {
        auto work = asked(9'000, at(0s));
        if (!work) continue;
        ++admitted;
        EXPECT_FALSE(pending.keep("resp_" + std::to_string(i), std::move(*work), at(0s).mono));
    }
    EXPECT_EQ(admitted, 1);
    EXPECT_EQ(app.in_flight().used_here(at(0s)), 0);  // the request itself is over
    EXPECT_EQ(app.tokens().used_here(at(0s)), 9'000);
}

TEST_F(Pending, LookingTenTimesChargesOnce) {
    EXPECT_FALSE(pending.keep("resp_1", std::move(*asked(9'000, at(0s))), at(0s).mono));
    EXPECT_FALSE(pending.finish("resp_2"));
    int charged = 0;
    for (int i = 0; i < 10; ++i) {
        auto work = pending.finish("resp_1");
        if (!work) continue;
        ++charged;
        work->grant.settle({5'000, 5'000}, at(2s));
    }
    EXPECT_EQ(charged, 1);
    EXPECT_EQ(app.tokens().used_here(at(2s)), 5'000);
    EXPECT_EQ(app.cost_in(Period::day).used(at(2s)), 5'000);
    EXPECT_EQ(app.in_flight().used_here(at(2s)), 0);
    EXPECT_EQ(pending.size(), 0U);
}

TEST_F(Pending, WhatHasNoPlaceIsHandedBack) {
    const auto keep = [&](const char* id, const char* client) {
        return pending.keep(id, std::move(*asked(10, at(0s), client)), at(0s).mono);
    };
    EXPECT_FALSE(keep("1", "a"));
    EXPECT_FALSE(keep("2", "a"));
    const auto third = keep("3", "a");
    ASSERT_TRUE(third);
    EXPECT_EQ(third->grant.reserved().tokens, 10);
    EXPECT_FALSE(keep("4", "b"));
    EXPECT_FALSE(keep("5", "b"));
    EXPECT_TRUE(keep("6", "c"));  // full
    EXPECT_EQ(pending.size(), 4U);
    // An id that comes twice is two pieces of work: the first is charged now.
    const auto before = keep("1", "a");
    ASSERT_TRUE(before);
    EXPECT_EQ(pending.size(), 4U);
}

TEST_F(Pending, WhatIsTooOldIsHandedBack) {
    EXPECT_FALSE(pending.keep("1", std::move(*asked(10, at(0s))), at(0s).mono));
    EXPECT_FALSE(pending.keep("2", std::move(*asked(10, at(30min))), at(30min).mono));
    EXPECT_TRUE(pending.expired(at(1h).mono, 10).empty());
    auto old = pending.expired(at(61min).mono, 10);
    ASSERT_EQ(old.size(), 1U);
    old[0].grant.settle(old[0].grant.reserved(), at(61min));
    EXPECT_EQ(app.cost_in(Period::day).used(at(61min)), 20);
    EXPECT_EQ(pending.drain().size(), 1U);
    EXPECT_EQ(pending.size(), 0U);
}

}  // namespace
}  // namespace spillway::quota
