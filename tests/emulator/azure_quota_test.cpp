// Azure's quota rules on invented time. Figures of reported measurements are marked so.
#include "emulator/azure_quota.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "emulator/pace.hpp"
#include "emulator/prefix_cache.hpp"

namespace spillway::emulator {
namespace {

using namespace std::chrono_literals;
using config::DeploymentKind;

const Mono t0{1h};

config::EmulatedDeployment payg(std::uint64_t tpm, std::uint64_t rpm) {
    config::EmulatedDeployment d;
    d.tpm = tpm;
    d.rpm = rpm;
    return d;
}

QuotaRequest costing(std::uint64_t max_tokens, std::uint64_t chars = 0) {
    return {.prompt_chars = chars, .prompt_tokens = chars / 4, .max_tokens = max_tokens};
}

TEST(AzureQuota, TellsWhatAMeasurementOf20kTpmTold) {
    // Measured: 20k TPM, 120 RPM, a prompt of 100 tokens charged with less, max_tokens 25.
    AzureQuota quota(payg(20'000, 120), t0);
    const auto d = quota.admit(costing(25, 248), t0 + 1s);
    EXPECT_TRUE(d.admitted());
    EXPECT_EQ(d.remaining_tokens, 19'913);
    EXPECT_EQ(d.remaining_requests, 19);  // 120 RPM is 20 in 10 s
    EXPECT_EQ(d.charged, 87U);
}

TEST(AzureQuota, RefusesTheSixthRapidRequestOf50kTpmInOneSecondWindows) {
    auto config = payg(50'000, 300);
    config.request_window = 1s;
    AzureQuota quota(config, t0);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(quota.admit(costing(10), t0 + 10ms).admitted());
    const auto sixth = quota.admit(costing(10), t0 + 400ms);
    EXPECT_EQ(sixth.limit, Limit::requests);
    EXPECT_EQ(sixth.retry_after, 600ms);
    EXPECT_GT(sixth.remaining_tokens, 49'000);
    EXPECT_TRUE(quota.admit(costing(10), t0 + 1s).admitted());
}

TEST(AzureQuota, ChargesTheEstimateOfTheMost) {
    const AzureQuota quota(payg(1000, 60), t0);
    EXPECT_EQ(quota.estimate(costing(100, 9)), 103U);  // 9 / 4, rounded up
    EXPECT_EQ(quota.estimate({.prompt_chars = 4, .max_tokens = 10, .best_of = 3}), 31U);
    EXPECT_EQ(quota.estimate({.prompt_chars = 4}), 17U);  // 16 stands in for max_tokens
    EXPECT_EQ(quota.estimate({.prompt_chars = 400, .has_output = false}), 100U);
}

TEST(AzureQuota, HoldsTheCounterToTheEndOfItsFixedMinute) {
    AzureQuota quota(payg(1000, 600), t0);
    EXPECT_TRUE(quota.admit(costing(600), t0 + 59s).admitted());
    const auto refused = quota.admit(costing(600), t0 + 59s + 500ms);
    EXPECT_EQ(refused.limit, Limit::tokens);
    EXPECT_EQ(refused.retry_after, 500ms);
    EXPECT_EQ(refused.remaining_tokens, 400);  // a refusal costs nothing
    // The window is fixed, not sliding: a second later the whole amount is there again.
    EXPECT_TRUE(quota.admit(costing(1000), t0 + 60s).admitted());
    EXPECT_FALSE(quota.admit(costing(1), t0 + 119s).admitted());
    EXPECT_TRUE(quota.admit(costing(1), t0 + 300s + 1ms).admitted());
}

TEST(AzureQuota, DoesNotCorrectTheStandardCounter) {
    AzureQuota quota(payg(1000, 600), t0);
    const auto d = quota.admit(costing(900), t0);
    quota.finish(d.charged, 5, t0 + 1s);
    EXPECT_EQ(quota.look(t0 + 1s).remaining_tokens, 100);
}

TEST(AzureQuota, NeverAdmitsWhatIsMoreThanTheWholeWindow) {
    AzureQuota quota(payg(1000, 600), t0);
    EXPECT_EQ(quota.admit(costing(1001), t0).limit, Limit::tokens);
    EXPECT_TRUE(quota.admit(costing(1000), t0).admitted());
}

TEST(AzureQuota, AdmitsAtLeastOneRequestInAWindow) {
    AzureQuota quota(payg(1000, 1), t0);
    EXPECT_TRUE(quota.admit(costing(1), t0).admitted());
    EXPECT_EQ(quota.admit(costing(1), t0 + 1s).limit, Limit::requests);
    EXPECT_TRUE(quota.admit(costing(1), t0 + 10s).admitted());
}

TEST(AzureQuota, ServesNoMoreThanItsTokensInAnyWindow) {
    AzureQuota quota(payg(30'000, 180'000), t0);
    std::vector<std::uint64_t> charged(4, 0);
    for (int i = 0; i < 4 * 60'000; ++i) {
        const Mono now = t0 + std::chrono::milliseconds(i);
        charged.at(static_cast<std::size_t>(i) / 60'000) += quota.admit(costing(70), now).charged;
    }
    for (const std::uint64_t c : charged) EXPECT_EQ(c, 30'000U / 70U * 70U);
}

config::EmulatedDeployment ptu(std::uint64_t tokens_per_minute) {
    config::EmulatedDeployment d;
    d.kind = DeploymentKind::ptu;
    d.ptu_tokens_per_minute = tokens_per_minute;
    return d;
}

TEST(ProvisionedQuota, RefusesAboveFullUtilizationUntilItDrained) {
    AzureQuota quota(ptu(60'000), t0);  // 1,000 tokens a second, 100 % is 60,000
    EXPECT_TRUE(quota.admit({.prompt_tokens = 1000, .max_tokens = 59'000}, t0).admitted());
    const auto over = quota.admit({.prompt_tokens = 1000, .max_tokens = 2000}, t0);  // at 100 %: not above
    EXPECT_TRUE(over.admitted());
    EXPECT_NEAR(over.utilization, 1.05, 1e-9);
    const auto refused = quota.admit({.prompt_tokens = 1}, t0 + 1s);
    EXPECT_EQ(refused.limit, Limit::utilization);
    EXPECT_EQ(refused.retry_after, 2s + 1ms);
    EXPECT_LT(refused.remaining_tokens, 0);
    EXPECT_FALSE(quota.admit({.prompt_tokens = 1}, t0 + 2s + 900ms).admitted());
    EXPECT_TRUE(quota.admit({.prompt_tokens = 1}, t0 + 1s + refused.retry_after).admitted());
}

TEST(ProvisionedQuota, CorrectsByWhatItReallyWas) {
    AzureQuota quota(ptu(60'000), t0);
    const auto d = quota.admit({.prompt_tokens = 6'000, .max_tokens = 54'000}, t0);
    quota.finish(d.charged, 6'600, t0);
    EXPECT_NEAR(quota.look(t0).utilization, 0.11, 1e-9);
    EXPECT_NEAR(quota.look(t0 + 3s).utilization, 0.06, 1e-9);
    EXPECT_EQ(quota.look(t0 + 1h).utilization, 0.0);
}

TEST(ProvisionedQuota, DoesNotChargeCachedTokens) {
    const AzureQuota quota(ptu(60'000), t0);
    EXPECT_EQ(quota.estimate({.prompt_tokens = 3000, .cached_tokens = 2048, .max_tokens = 100}), 1052U);
}

TEST(PrefixCache, KnowsTheLongestPrefixOfLateAndForgets) {
    PrefixCache cache;
    const std::vector<std::uint64_t> first = {11, 12, 13};
    const std::vector<std::uint64_t> second = {11, 12, 99, 100};
    EXPECT_EQ(cache.use(first, 0, t0), 0U);
    EXPECT_EQ(cache.use(second, 0, t0 + 1min), 1024U + 128U);
    EXPECT_EQ(cache.use(first, 0, t0 + 2min), 1024U + 2 * 128U);
    EXPECT_EQ(cache.use(first, 1, t0 + 2min), 0U) << "another deployment's";
    EXPECT_EQ(cache.use(first, 0, t0 + 8min), 0U) << "too old";
    EXPECT_EQ(cache.use({}, 0, t0), 0U) << "a short prompt";
}

TEST(Pace, IsTheSameForTheSameSeedAndNearTheMean) {
    const config::LatencyConfig latency;  // 200 ± 50 ms, 100 tokens a second
    Pace a(latency, Rng(7));
    Pace b(latency, Rng(7));
    EXPECT_EQ(a.first(), b.first());
    EXPECT_GE(a.first(), 150ms);
    EXPECT_LE(a.first(), 250ms);
    const Duration begin = a.due();
    for (int i = 0; i < 1000; ++i) {
        const Duration before = a.due();
        a.advance();
        b.advance();
        EXPECT_EQ(a.due(), b.due());
        EXPECT_GT(a.due(), before);
    }
    EXPECT_NEAR(to_seconds(a.due() - begin), 10.0, 0.3);
}

TEST(Pace, OfNoRateIsAllAtOnce) {
    config::LatencyConfig latency;
    latency.tokens_per_second = 0;
    Pace pace(latency, Rng(1));
    for (int i = 0; i < 10; ++i) pace.advance();
    EXPECT_EQ(pace.due(), pace.first());
}

}  // namespace
}  // namespace spillway::emulator
