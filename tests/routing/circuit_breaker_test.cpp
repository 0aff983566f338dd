#include "routing/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include "routing/failure_counter.hpp"
#include "routing/negative_cache.hpp"
#include "routing/suspects.hpp"

namespace spillway::routing {
namespace {

using namespace std::chrono_literals;
using Standing = CircuitBreaker::Standing;

constexpr Duration cap = 30s;

TEST(CircuitBreaker, EjectionTimesGrowAndAreCapped) {
    CircuitBreaker b;
    Mono now(1000s);
    for (const Duration out : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        EXPECT_TRUE(b.trip(Reason::server_error, now, now, {}, cap).tripped());
        EXPECT_EQ(b.look(now, 0).wait, out);
        now += out;
        ASSERT_TRUE(b.try_probe(now));
    }
}

TEST(CircuitBreaker, AMinuteOfHealthMakesTheNextTripAFirstOne) {
    CircuitBreaker b;
    Mono now(1000s);
    (void)b.trip(Reason::server_error, now, now, {}, cap);
    now += 1s;
    ASSERT_TRUE(b.try_probe(now));
    EXPECT_TRUE(b.succeeded(now, now));
    now += 59s;
    (void)b.trip(Reason::server_error, now, now, {}, cap);
    EXPECT_EQ(b.look(now, 0).wait, 2s);
    now += 2s;
    ASSERT_TRUE(b.try_probe(now));
    EXPECT_TRUE(b.succeeded(now, now));
    now += 60s;
    (void)b.trip(Reason::server_error, now, now, {}, cap);
    EXPECT_EQ(b.look(now, 0).wait, 1s);
}

TEST(CircuitBreaker, FailuresOfTheSameMomentTripOnce) {
    CircuitBreaker b;
    const Mono now(1000s);
    EXPECT_TRUE(b.trip(Reason::no_connection, now, now, {}, cap).tripped());
    for (int i = 0; i < 50; ++i) EXPECT_FALSE(b.trip(Reason::no_connection, now, now, {}, cap).tripped());
    EXPECT_EQ(b.look(now, 0).wait, 1s);
}

TEST(CircuitBreaker, ATripCanBeUndoneUnlessSomethingHappenedSince) {
    CircuitBreaker b;
    Mono now(1000s);
    const auto mark = b.trip(Reason::server_error, now, now, {}, cap);
    b.undo(mark);
    EXPECT_EQ(b.look(now, 0).standing, Standing::closed);
    const auto second = b.trip(Reason::server_error, now, now, {}, cap);
    EXPECT_EQ(b.look(now, 0).wait, 1s) << "the one undone does not count";
    now += 1s;
    ASSERT_TRUE(b.try_probe(now));
    b.undo(second);
    EXPECT_EQ(b.look(now, 0).standing, Standing::probing);
}

TEST(CircuitBreaker, AFailureSentBeforeTheProbeDoesNotEndIt) {
    CircuitBreaker b;
    Mono now(1000s);
    (void)b.trip(Reason::server_error, now, now, {}, cap);
    const Mono old = now + 500ms;
    now += 1s;
    ASSERT_TRUE(b.try_probe(now));
    EXPECT_FALSE(b.trip(Reason::server_error, old, now, {}, cap).tripped());
    EXPECT_TRUE(b.probed_by(now));
    EXPECT_TRUE(b.succeeded(now, now));
}

TEST(CircuitBreaker, WhatTheAnswerAsksForCountsWithinTheCap) {
    CircuitBreaker b;
    const Mono now(1000s);
    (void)b.trip(Reason::server_error, now, now, 7s, cap);
    EXPECT_EQ(b.look(now, 0).wait, 7s);
    CircuitBreaker c;
    (void)c.trip(Reason::server_error, now, now, 700s, cap);
    EXPECT_EQ(c.look(now, 0).wait, cap);
}

TEST(CircuitBreaker, OneThatServedInSpiteOfItRampsUp) {
    CircuitBreaker b;
    const Mono now(1000s);
    (void)b.trip(Reason::server_error, now, now, {}, cap);
    EXPECT_TRUE(b.revive(now));
    EXPECT_FALSE(b.revive(now));
    EXPECT_EQ(b.look(now, 2).standing, Standing::ramp_full);
    EXPECT_EQ(b.look(now, 1).standing, Standing::closed);
}

TEST(FailureCounter, AFewInARowOfDifferentRequests) {
    FailureCounter c;
    const Mono now(1000s);
    EXPECT_FALSE(c.failed(1, now).enough);
    EXPECT_FALSE(c.failed(2, now).enough);
    c.succeeded(now);
    EXPECT_FALSE(c.failed(3, now).enough);
    EXPECT_FALSE(c.failed(4, now).enough);
    EXPECT_TRUE(c.failed(5, now).enough);
}

TEST(FailureCounter, TheSameRequestAgainDoesNotCount) {
    FailureCounter c;
    const Mono now(1000s);
    EXPECT_TRUE(c.failed(77, now).counted);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(c.failed(77, now).counted);
    EXPECT_TRUE(c.failed(0, now).counted) << "known not to be the request's doing";
}

TEST(FailureCounter, HalfOfThoseOfLateAreEnough) {
    FailureCounter c;
    Mono now(1000s);
    bool enough = false;
    for (std::uint64_t i = 1; i <= 9 && !enough; ++i) {
        enough = c.failed(i, now).enough;
        c.succeeded(now);
        now += 100ms;
    }
    EXPECT_FALSE(enough) << "too few to tell";
    EXPECT_TRUE(c.failed(100, now).enough);
}

TEST(FailureCounter, OneInTwentyIsNothing) {
    FailureCounter c;
    Mono now(1000s);
    for (std::uint64_t i = 1; i < 2000; ++i, now += 50ms) {
        if (i % 20 == 0) {
            EXPECT_FALSE(c.failed(i, now).enough);
        } else {
            c.succeeded(now);
        }
    }
}

TEST(FailureCounter, CanBeTakenBack) {
    FailureCounter c;
    const Mono now(1000s);
    for (std::uint64_t i = 1; i < 100; ++i) {
        EXPECT_FALSE(c.failed(i, now).enough);
        c.undo();
    }
}

TEST(NegativeCache, KeepsWhatIsMissingForMinutes) {
    NegativeCache c;
    const Mono now(1000s);
    EXPECT_FALSE(c.lacks(3, now));
    c.learn(3, now);
    EXPECT_TRUE(c.lacks(3, now));
    EXPECT_FALSE(c.lacks(4, now));
    EXPECT_FALSE(c.lacks(3, now + NegativeCache::believed));
    c.learn(5, now + NegativeCache::believed);
    EXPECT_FALSE(c.lacks(3, now + NegativeCache::believed)) << "what is over does not come back";
    c.forget();
    EXPECT_FALSE(c.lacks(5, now + NegativeCache::believed));
}

TEST(Suspects, AreKnownForAMinute) {
    Suspects s;
    const Mono now(1000s);
    constexpr std::uint64_t one = 0x1234'5678'9abc'def0U;
    EXPECT_FALSE(s.any(now) || s.has(one, now));
    s.add(one, now);
    EXPECT_TRUE(s.any(now + 60s));
    EXPECT_FALSE(s.any(now + 61s));
    s.add(0, now);
    EXPECT_TRUE(s.has(one, now + 60s));
    EXPECT_FALSE(s.has(one, now + 61s));
    EXPECT_FALSE(s.has(one ^ (1ULL << 40U), now));
    EXPECT_FALSE(s.has(0, now));
    s.clear(one, now);
    EXPECT_FALSE(s.has(one, now));
}

}  // namespace
}  // namespace spillway::routing
