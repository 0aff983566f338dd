// What clients send teaches the estimates that all share: whatever one does, another's plain text is reserved
// at about what it takes, and many at once do not slip past a limit.
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/rng.hpp"
#include "quota/client_quota.hpp"
#include "quota/client_time.hpp"
#include "quota/estimator.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;
using test::at;

RequestShape text(std::uint64_t chars, TextKind kind = TextKind::ascii) {
    RequestShape s;
    s.chars = chars;
    s.items = 1;
    s.kind = kind;
    s.max_tokens = 50;
    return s;
}

/// As c11's agent: a little text, many tools of 495 characters.
RequestShape agent(std::uint32_t tools, std::uint64_t chars = 800) {
    RequestShape s = text(chars);
    s.tools = tools;
    s.schema_chars = std::uint64_t{tools} * 495;
    return s;
}

RequestShape pictures(std::uint32_t count, std::uint32_t tiles) {
    RequestShape s = text(40);
    s.media = {count, count * tiles, count * 1536, 0, 0};
    return s;
}

api::Usage usage(double prompt, std::uint64_t completion = 5) {
    const auto tokens = static_cast<std::uint64_t>(prompt);
    return {tokens, completion, tokens + completion, 0, 0};
}

TEST(EstimateTrust, AnAgentsToolsDoNotMakeAnothersTextDear) {
    Estimator e;
    const RequestShape long_text = text(16'200);  // 4,050 tokens
    for (int i = 0; i < 100; ++i) {
        EXPECT_LT(e.estimate(long_text).reserve, 6'000U) << i;
        e.used(agent(15), usage(200 + 15 * 150));
    }
    // Those who learnt of the tools know them.
    EXPECT_NEAR(static_cast<double>(e.estimate(agent(15)).prompt), 2450, 250);
}

/// Sparest texts that tokenizers make of each kind: fewer tokens per character than this are no prose.
struct Sparse {
    TextKind kind;
    double tokens_per_char;
};
class HostileMix : public testing::TestWithParam<Sparse> {};
INSTANTIATE_TEST_SUITE_P(EachKind, HostileMix,
                         testing::Values(Sparse{TextKind::ascii, 0.185}, Sparse{TextKind::mixed, 0.22},
                                         Sparse{TextKind::letters, 0.24}, Sparse{TextKind::wide, 0.45}));

TEST_P(HostileMix, NeverReservesAPlainTextAtMoreThanThreeTimes) {
    const auto [kind, ratio] = GetParam();
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Estimator e;
        Rng rng(seed);
        for (int i = 0; i < 400; ++i) {
            RequestShape s = text(rng.below(50'000), kind);
            s.token_ids = rng.below(4) == 0 ? rng.below(1000) : 0;
            s.items = static_cast<std::uint32_t>(rng.below(200));
            if (rng.below(2) == 0) {
                s.tools = static_cast<std::uint32_t>(rng.below(60));
                s.schema_chars = rng.below(100'000);
            }
            if (rng.below(3) == 0) s.media = {1, static_cast<std::uint32_t>(rng.below(9)), 1536, 0, 0};
            if (rng.below(4) == 0) s.history = rng.below(100'000);
            const std::uint64_t most =
                rng.below(3) == 0 ? std::numeric_limits<std::uint64_t>::max() : 200'000;
            // Not only what a tokenizer may do with it: whatever a backend or its client makes up.
            e.used(s, {rng.below(most), rng.below(most), 0, 0, 0});
            const std::uint64_t chars = 100 + rng.below(100'000);
            const double tokens = static_cast<double>(chars) * ratio;
            ASSERT_LE(static_cast<double>(e.estimate(text(chars, kind)).reserve), 3 * tokens + 50)
                << "seed " << seed << " after " << i;
        }
    }
}

TEST(EstimateTrust, TheMirrorsChargeIsBoundedToo) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Estimator e;
        Rng rng(seed);
        for (int i = 0; i < 400; ++i) {
            RequestShape s =
                rng.below(2) == 0 ? agent(static_cast<std::uint32_t>(rng.below(60))) : text(rng.below(5'000));
            e.charged(s, rng.below(100'000));
        }
        RequestShape plain = text(4'000);  // 1,000 tokens
        plain.max_tokens = 0;
        EXPECT_LE(e.estimate(plain).charge, 3'000U) << seed;
    }
}

/// Sixty at once, minute by minute: what a minute's admitted requests really use.
template <class Use>
std::int64_t worst_minute(const RequestShape& shape, Use real) {
    constexpr std::int64_t limit = 20'000;
    ClientQuotas quotas;
    Subject& app = quotas.find_or_add(SubjectKind::client, "app", {.tokens_per_minute = limit});
    Estimator e;
    std::int64_t worst = 0;
    for (int minute = 0; minute < 20; ++minute) {
        const Now now = at(70s * minute);
        std::vector<Grant> under_way;
        Refusal why;
        for (int i = 0; i < 60; ++i) {
            const Estimate estimate = e.estimate(shape);
            const auto wanted = static_cast<std::int64_t>(estimate.reserve + *shape.max_tokens);
            if (auto grant = quotas.admit({&app}, {wanted, 0}, now, why))
                under_way.push_back(std::move(*grant));
        }
        EXPECT_GT(under_way.size(), 0U) << why.wanted;
        std::int64_t used = 0;
        for (Grant& grant : under_way) {
            const api::Usage u = real();
            used += static_cast<std::int64_t>(u.prompt + u.completion);
            grant.settle({static_cast<std::int64_t>(u.prompt + u.completion), 0}, now);
            e.used(shape, u);
        }
        worst = std::max(worst, used);
    }
    return worst;
}

TEST(EstimateTrust, SixtyAtOnceDoNotSlipPastALimit) {
    constexpr std::int64_t most = 21'000;
    // Two pictures whose size cannot be seen; two of a known size; forty tools.
    EXPECT_LE(worst_minute(pictures(2, 8), [] { return usage(10 + 2 * 765); }), most);
    EXPECT_LE(worst_minute(pictures(2, 4), [] { return usage(10 + 2 * 765); }), most);
    EXPECT_LE(worst_minute(agent(40, 40), [] { return usage(10 + 40 * 150); }), most);
    EXPECT_LE(worst_minute(agent(15), [] { return usage(200 + 15 * 150); }), most);
    RequestShape sound = text(40);
    sound.media.audio_ms = 60'000;
    EXPECT_LE(worst_minute(sound, [] { return usage(10 + 600); }), most);
    RequestShape goes_on = text(40);
    goes_on.history = 3'000;
    EXPECT_LE(worst_minute(goes_on, [] { return usage(3'010); }), most);
    Rng rng(3);
    EXPECT_LE(worst_minute(agent(12), [&] { return usage(200 + 12.0 * (130 + 40 * rng.uniform())); }), most);
}

TEST(EstimateTrust, PicturesCostWhatTheRulesSay) {
    const Estimator e;
    const auto tokens = [&](std::string_view model) {
        api::RequestScan scan;
        scan.prompt_items = 1;
        const std::uint64_t without = e.estimate(shape_of(scan, "", model)).prompt;
        scan.media = {1, 4, 1536, 0, 0};
        return e.estimate(shape_of(scan, "", model)).prompt - without;
    };
    EXPECT_EQ(tokens("gpt-4o"), 765U);
    EXPECT_EQ(tokens("my-deployment"), 765U);
    EXPECT_EQ(tokens("gpt-4o-mini"), 25'501U);
    EXPECT_EQ(tokens("gpt-4.1-mini"), 2'489U);
    EXPECT_EQ(tokens("gpt-5-nano"), 3'779U);
    EXPECT_EQ(tokens("o4-mini"), 2'642U);
    EXPECT_EQ(tokens("gpt-5"), 630U);
    EXPECT_EQ(tokens("o1"), 675U);
}

TEST(EstimateTrust, LargeNumbersSaturate) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(most_output(1ULL << 63U, 2), most);
    EXPECT_EQ(most_output(1ULL << 62U, 4), most);
    EXPECT_EQ(most_output(most, 1), most);
    EXPECT_EQ(most_output(100, 0), 100U);
    EXPECT_EQ(most_output(0, 5), 0U);
    EXPECT_EQ(most_output(128, 0xffffffffU), 128ULL * 0xffffffffU);
    RequestShape s = text(most);
    s.token_ids = s.history = s.schema_chars = most;
    s.n = s.items = s.tools = 0xffffffffU;
    s.media = {0xffffffffU, 0xffffffffU, 0xffffffffU, 0xffffffffU, 0xffffffffU};
    s.max_tokens = most;
    const Estimate e = Estimator().estimate(s);
    for (const std::uint64_t tokens : {e.prompt, e.reserve, e.charge, e.output}) {
        EXPECT_GE(tokens, 1'000'000'000U);
        EXPECT_LE(tokens, 2'000'000'000U);
    }
}

}  // namespace
}  // namespace spillway::quota
