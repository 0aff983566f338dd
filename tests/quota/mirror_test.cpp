#include "quota/mirror.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

#include "base/rng.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;

constexpr Mono t0 = Mono(5000s);

config::BackendConfig backend(std::optional<std::uint64_t> tpm, std::optional<std::uint64_t> rpm) {
    config::BackendConfig b;
    b.tpm = tpm;
    b.rpm = rpm;
    return b;
}

api::RateLimits told(std::optional<std::int64_t> limit_tokens, std::optional<std::int64_t> remaining_tokens,
                     std::optional<std::int64_t> limit_requests = {},
                     std::optional<std::int64_t> remaining_requests = {}) {
    api::RateLimits l;
    l.limit_tokens = limit_tokens;
    l.remaining_tokens = remaining_tokens;
    l.limit_requests = limit_requests;
    l.remaining_requests = remaining_requests;
    return l;
}

TEST(Mirror, RefusesNobodyWhileItKnowsNothing) {
    Mirror m(backend({}, {}));
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(m.reserve(100'000, t0));
    EXPECT_TRUE(m.headroom(100'000, t0).fits);
    EXPECT_EQ(m.reserved(), 100'000'000U);
}

TEST(Mirror, HoldsToTheConfiguredTokens) {
    Mirror m(backend(1000, {}));
    const auto a = m.reserve(900, t0);
    ASSERT_TRUE(a);
    EXPECT_FALSE(m.reserve(200, t0));
    EXPECT_TRUE(m.reserve(100, t0));
    m.unsent(*a);
    EXPECT_EQ(m.reserved(), 100U);
    EXPECT_TRUE(m.headroom(900, t0).fits);
}

TEST(Mirror, HoldsToRequestsInTenSeconds) {
    Mirror m(backend(1'000'000, 60));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(m.reserve(1, t0));
    EXPECT_FALSE(m.reserve(1, t0));
    EXPECT_EQ(m.tokens().used(t0), 10U);  // the tokens of the refused one were given back
    EXPECT_NEAR(to_seconds(m.headroom(1, t0).wait), 10, 0.1);
    EXPECT_TRUE(m.headroom(1, t0 + 10100ms).fits);
}

TEST(Mirror, LearnsLimitsFromHeaders) {
    Mirror m(backend({}, {}));
    const auto a = m.reserve(100, t0);
    m.observe(*a, t0, told(30'000, 29'000, 30, 29));
    EXPECT_EQ(m.tokens().limit(), 30'000U);
    EXPECT_EQ(m.tokens().used(t0), 1000U);
    EXPECT_EQ(m.requests().limit(), 30U);  // 180 a minute by the usual ratio: so it is 10 s
    EXPECT_EQ(m.requests().length(), 10s);
    EXPECT_FALSE(m.headroom(29'500, t0).fits);
}

TEST(Mirror, LearnsOverHowLongRequestsAreCounted) {
    Mirror minute(backend(30'000, 180));
    minute.observe(*minute.reserve(1, t0), t0, told(30'000, 29'000, 180, 179));
    EXPECT_EQ(minute.requests().length(), 60s);
    Mirror by_remaining(backend(30'000, 180));
    by_remaining.observe(*by_remaining.reserve(1, t0), t0, told({}, 29'000, {}, 179));
    EXPECT_EQ(by_remaining.requests().length(), 60s);
    EXPECT_EQ(by_remaining.requests().limit(), 180U);
}

TEST(Mirror, FindsAShorterWindowBesideTheOneThatIsTold) {
    Mirror m(backend(50'000, 300));
    for (int i = 0; i < 5; ++i) m.observe(*m.reserve(10, t0), t0, told(50'000, 49'000, 50, 49 - i));
    const auto sixth = m.reserve(10, t0 + 100ms);
    m.refused(*sixth, t0 + 100ms, told(50'000, 49'000, 50, 45), 1s);
    EXPECT_NEAR(to_seconds(m.requests().length()), 1, 0.02);
    EXPECT_EQ(m.requests().limit(), 5U);
    m.observe(*m.reserve(10, t0 + 2s), t0 + 2s, told(50'000, 49'000, 50, 44));
    EXPECT_EQ(m.requests().limit(), 5U);  // the header is about the other
}

TEST(Mirror, AGuessedLimitIsAPreferenceOnly) {
    Mirror m(backend({}, {}));
    m.observe(*m.reserve(100, t0), t0, told({}, 500));
    EXPECT_EQ(m.tokens().basis(), Basis::guessed);
    const Headroom r = m.headroom(5000, t0);
    EXPECT_TRUE(m.reserve(400, t0));
    EXPECT_TRUE(m.headroom(400, t0).unsure);
    EXPECT_FALSE(r.wait > 60s);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(m.reserve_trial(400, t0));
}

TEST(Mirror, MoreLeftThanConfiguredRaisesTheLimit) {
    Mirror m(backend(1000, {}));
    m.observe(*m.reserve(100, t0), t0, told({}, 4900));
    EXPECT_EQ(m.tokens().limit(), 5000U);
    EXPECT_EQ(m.tokens().basis(), Basis::reported);
}

TEST(Mirror, UnknownIsNotZero) {
    Mirror m(backend(1000, {}));
    m.observe(*m.reserve(100, t0), t0, told(-1, -1, -1, -1));
    EXPECT_EQ(m.tokens().limit(), 1000U);
    EXPECT_EQ(m.tokens().used(t0), 100U);
}

TEST(Mirror, SendsOneTrialAtATimeWhereItIsNotSure) {
    Mirror m(backend(1000, {}));
    ASSERT_TRUE(m.reserve(1000, t0));
    EXPECT_TRUE(m.headroom(100, t0).unsure);
    const auto trial = m.reserve_trial(100, t0);
    ASSERT_TRUE(trial);
    EXPECT_TRUE(trial->trial);
    EXPECT_FALSE(m.reserve_trial(100, t0));
    EXPECT_TRUE(m.reserve_trial(100, t0 + 1100ms));  // the first is slow: it was let in
    const auto third = m.reserve_trial(100, t0 + 3s);
    ASSERT_TRUE(third);
    m.refused(*third, t0 + 3s, told(1000, 0), 20s);
    EXPECT_FALSE(m.headroom(100, t0 + 4s).unsure);  // now it is sure
    EXPECT_NEAR(to_seconds(m.headroom(100, t0 + 4s).wait), 19, 0.1);
}

TEST(Mirror, TellsATokenLimitFromARequestLimit) {
    Mirror by_tokens(backend(1000, 600));
    by_tokens.refused(*by_tokens.reserve(500, t0), t0, told(1000, 400, 100, 90), 5s);
    EXPECT_FALSE(by_tokens.headroom(500, t0).fits);
    EXPECT_EQ(by_tokens.requests().used(t0), 0U);
    Mirror by_requests(backend(1000, 600));
    by_requests.refused(*by_requests.reserve(500, t0), t0, told(1000, 900, 100, 0), 5s);
    EXPECT_EQ(by_requests.tokens().used(t0), 0U);
    EXPECT_NEAR(to_seconds(by_requests.headroom(1, t0).wait), 5, 0.1);
    Mirror silent(backend(1000, 600));
    for (int i = 0; i < 90; ++i) ASSERT_TRUE(silent.reserve(1, t0));
    silent.refused(*silent.reserve(1, t0), t0, {}, 5s);  // requests were nearer to their limit
    EXPECT_EQ(silent.tokens().used(t0), 90U);
    EXPECT_FALSE(silent.headroom(1, t0).fits);
    Mirror long_wait(backend(1000, 600));
    long_wait.refused(*long_wait.reserve(10, t0), t0, {}, 45s);
    EXPECT_FALSE(long_wait.headroom(10, t0 + 20s).fits);
}

TEST(Mirror, ProvisionedIsABucketCorrectedByUseAndUtilisation) {
    auto b = backend(60'000, {});
    b.ptu = true;
    Mirror m(b);
    const auto a = m.reserve(30'000, t0);
    m.finished(*a, 10'000);
    EXPECT_EQ(m.tokens().used(t0), 10'000U);
    const auto c = m.reserve(1000, t0);
    api::RateLimits l;
    l.ptu_utilization = 105;
    m.observe(*c, t0, l);
    EXPECT_FALSE(m.headroom(1, t0).fits);
    EXPECT_NEAR(to_seconds(m.headroom(1, t0).wait), 3, 0.1);
    EXPECT_TRUE(m.headroom(1, t0 + 3200ms).fits);
    const auto refused = m.reserve(1, t0 + 4s);
    m.refused(*refused, t0 + 4s, {}, 500ms);
    EXPECT_NEAR(to_seconds(m.headroom(1, t0 + 4s).wait), 0.5, 0.1);
}

TEST(Mirror, ProvisionedWithoutFiguresGoesByUtilisation) {
    auto b = backend({}, {});
    b.ptu = true;
    Mirror m(b);
    api::RateLimits l;
    l.ptu_utilization = 80;
    m.observe(*m.reserve(1, t0), t0, l);
    EXPECT_TRUE(m.headroom(100, t0).fits);
    EXPECT_NEAR(m.headroom(100, t0).share, 0.2, 1e-6);
}

TEST(Mirror, OpenAiRefillsAllTheTime) {
    auto b = backend({}, {});
    b.kind = config::BackendKind::openai;
    Mirror m(b);
    m.observe(*m.reserve(500, t0), t0, told(60'000, 1000, 600, 599));
    EXPECT_FALSE(m.headroom(2000, t0).fits);
    EXPECT_NEAR(to_seconds(m.headroom(2000, t0).wait), 1, 0.1);
    EXPECT_TRUE(m.headroom(2000, t0 + 1100ms).fits);
    EXPECT_EQ(m.requests().length(), 60s);
}

TEST(Mirror, SaysWhatNeverFits) {
    Mirror m(backend(1000, {}));
    EXPECT_TRUE(m.headroom(1001, t0).never);
    EXPECT_FALSE(m.headroom(1000, t0).never);
    Mirror unknown(backend({}, {}));
    EXPECT_FALSE(unknown.headroom(1'000'000, t0).never);
    auto b = backend(1000, {});
    b.ptu = true;
    Mirror lenient(b);  // the last one let in may overflow it
    EXPECT_FALSE(lenient.headroom(5000, t0).never);
}

/// Runs `work(thread, random numbers)` in four threads.
template <class Work>
void in_threads(const Work& work) {
    std::vector<std::thread> threads;
    for (std::size_t n = 0; n < 4; ++n)
        threads.emplace_back([&work, n] {
            Rng rng(n + 1);
            work(n, rng);
        });
    for (auto& t : threads) t.join();
}

TEST(MirrorProperty, ThreadsNeverReserveMoreThanTheLimit) {
    for (int round = 0; round < 20; ++round) {
        Mirror m(backend(10'000, 1'000'000));
        std::array<std::uint64_t, 4> held{};
        in_threads([&](std::size_t n, Rng& rng) {
            for (int i = 0; i < 3000; ++i) {
                const auto r = m.reserve(1 + rng.below(50), t0);
                if (!r) continue;
                if (rng.below(2) == 0)
                    m.unsent(*r);
                else
                    held[n] += r->tokens.amount;
            }
        });
        const std::uint64_t sum = std::accumulate(held.begin(), held.end(), std::uint64_t{0});
        ASSERT_LE(sum, 10'000U);
        ASSERT_EQ(m.tokens().used(t0), sum);
        ASSERT_EQ(m.reserved(), sum);
    }
}

TEST(MirrorProperty, ThreadsThatObserveKeepItWithinWhatTheBackendReported) {
    Mirror m(backend(1'000'000, {}));
    in_threads([&](std::size_t, Rng& rng) {
        for (int i = 0; i < 2000; ++i) {
            const Mono now = t0 + i * 20ms;  // over most of a minute
            const auto r = m.reserve(1 + rng.below(100), now);
            const auto remaining = static_cast<std::int64_t>(998'000 + rng.below(2000));
            if (r) m.observe(*r, now, told(1'000'000, remaining));
            (void)m.headroom(10, now);
        }
    });
    // One last word, with nobody else about, is the truth.
    const Mono end = t0 + 50s;
    m.observe(*m.reserve(10, end), end, told(1'000'000, 995'000));
    EXPECT_EQ(m.tokens().used(end), 5000U);
}

TEST(MirrorProperty, TokensAndRequestsChangeTogether) {
    // Each request is of 7 tokens: whoever looks sees both of it or neither, also while it is taken back.
    Mirror m(backend(7'000'000, 60'000'000));
    std::atomic<bool> stop{false};
    std::thread watcher([&] {
        while (!stop.load()) {
            const auto levels = m.levels();
            ASSERT_EQ(levels.tokens.used(t0), 7 * levels.requests.used(t0));
        }
    });
    in_threads([&](std::size_t, Rng& rng) {
        for (int i = 0; i < 5000; ++i) {
            const auto r = m.reserve(7, t0);
            if (r && rng.below(2) == 0) m.unsent(*r);
        }
    });
    stop.store(true);
    watcher.join();
    EXPECT_GT(m.requests().used(t0), 0U);
}

}  // namespace
}  // namespace spillway::quota
