// What one gateway tells the next.
#include "gateway/learned_state.hpp"

#include <gtest/gtest.h>

#include "quota/mirror.hpp"

namespace spillway::gateway {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

Learned everything() {
    Learned out;
    out.replica = "replica 1";
    out.router.names = {"gpt-4o", "gpt 4o\n\"x\""};
    routing::BackendMemory backend;
    backend.name = "one";
    backend.resource = ~std::uint64_t{0};
    backend.mode = routing::Mode::draining;
    backend.counts = {1, 2, 3, 4, 5, 6, 7};
    backend.whole = {1500ms, routing::Reason::server_error};
    quota::Mirror mirror(config::BackendConfig{});
    const Mono now{100s};
    const auto held = mirror.reserve(700, now);
    api::RateLimits limits;
    limits.limit_tokens = 10'000;
    limits.remaining_tokens = 9'000;
    (void)mirror.observe(*held, now, limits);
    backend.deployments.push_back({"gpt 4o\n\"x\"", {20ms, routing::Reason::throttled}, {}, mirror.levels()});
    out.router.backends.push_back(std::move(backend));
    quota::UsageChange usage;
    usage.kind = quota::SubjectKind::user;
    usage.owner = "team a";
    usage.name = "";
    usage.first = true;
    usage.in_flight = 3;
    usage.tokens = {{99, 500}, {100, -20}};
    usage.period_tokens = {1, 2, 3, 4};
    usage.period_cost = {5, 6, 7, -8};
    out.usage.push_back(std::move(usage));
    out.sessions.push_back({"one", {}});
    for (std::uint64_t i = 1; i <= 130; ++i) out.sessions[0].hashes.push_back(i << 40U);
    return out;
}

TEST(LearnedState, IsReadAsItWasWritten) {
    const Learned told = everything();
    const Learned read = read_learned(write_learned(told));
    EXPECT_EQ(write_learned(read), write_learned(told));
    EXPECT_EQ(read.replica, "replica 1");
    EXPECT_EQ(read.router.names, told.router.names);
    ASSERT_EQ(read.router.backends.size(), 1U);
    const auto& backend = read.router.backends[0];
    EXPECT_EQ(backend.mode, routing::Mode::draining);
    EXPECT_EQ(backend.counts[6], 7U);
    EXPECT_EQ(backend.whole.cooling, 1500ms);
    EXPECT_EQ(backend.whole.reason, routing::Reason::server_error);
    ASSERT_EQ(backend.deployments.size(), 1U);
    const auto& deployment = backend.deployments[0];
    EXPECT_EQ(deployment.name, "gpt 4o\n\"x\"");
    EXPECT_EQ(deployment.quota.cooling, 20ms);
    EXPECT_EQ(deployment.failures.cooling, 0ms);
    quota::Mirror next(config::BackendConfig{});
    next.restore(*deployment.levels);
    EXPECT_EQ(next.tokens().limit(), 10'000U);
    EXPECT_EQ(next.tokens().used(Mono{101s}), 1'000U);
    EXPECT_EQ(next.tokens().basis(), quota::Basis::reported);
    ASSERT_EQ(read.usage.size(), 1U);
    EXPECT_EQ(read.usage[0].kind, quota::SubjectKind::user);
    EXPECT_EQ(read.usage[0].owner, "team a");
    EXPECT_EQ(read.usage[0].in_flight, 3);
    ASSERT_EQ(read.usage[0].tokens.size(), 2U);
    EXPECT_EQ(read.usage[0].tokens[1].amount, -20);
    EXPECT_EQ(read.usage[0].period_cost[3], -8);
    EXPECT_EQ(read.sessions.size(), 3U) << "lines of 64";
}

TEST(LearnedState, WhatIsNotKnownOrNotRightIsLeftOut) {
    EXPECT_TRUE(read_learned("").router.names.empty());
    EXPECT_TRUE(read_learned("name 6f").router.names.empty()) << "cut";
    EXPECT_EQ(read_learned("more of a newer version\nname 6f\n").router.names.size(), 1U);
    EXPECT_EQ(read_learned("name 6f and more of a newer version\n").router.names.size(), 1U);
    const std::string good = "backend 6f 1 0 1 2 3 4 5 6 7 10 1";
    EXPECT_EQ(read_learned(good + "\n").router.backends.size(), 1U);
    for (const auto* line :
         {"backend 6f 1 0 1 2 3 4 5 6 7 -10 1\n", "backend 6f 1 9 1 2 3 4 5 6 7 10 1\n",
          "backend 6f 1 0 1 2 3 4 5 6 7 10 99\n", "backend zz 1 0 1 2 3 4 5 6 7 10 1\n",
          "backend 6f 1 0 1 2 3 4 5 6 7 99999999999 1\n", "backend\n", "backend 6f\n", "\n"})
        EXPECT_TRUE(read_learned(line).router.backends.empty()) << line;
    for (const auto* line :
         {"usage nobody  6f 1 0 0 0 0 0 0 0 0 0  \n", "usage client  6f 1 0 0 0 0 0 0 0 0 0 x \n",
          "usage client  6f 1 0 0 0 0 0 0 0 0 0 5:x, \n", "usage client\n"})
        EXPECT_TRUE(read_learned(line).usage.empty()) << line;
    EXPECT_EQ(read_learned("usage client  6f 1 0 0 0 0 0 0 0 0 0  \n").usage.size(), 1U);
    const auto levels = [&](std::string_view level) {
        const auto read = read_learned(good + "\ndeployment 6f 6f 0 0 0 0 0 " + std::string(level) +
                                       " 0:0:0:625:0:0:0:625:0:\n");
        return read.router.backends[0].deployments.size();
    };
    EXPECT_EQ(levels("0:10:2:3750:1:5:100:3750:0:"), 1U);
    for (const auto* level :
         {"3:10:2:3750:1:5:100:3750:0:", "0:10:2:0:1:5:100:0:0:", "0:10:7:3750:1:5:100:1:0:",
          "0:10:2:3750:1:5:100:9999:0:", "0:10:2:3750:1:5:-7:3750:0:", "0:10", ""})
        EXPECT_EQ(levels(level), 0U) << level;
}

}  // namespace
}  // namespace spillway::gateway
