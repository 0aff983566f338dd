#include "quota/history_sizes.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace spillway::quota {
namespace {

TEST(HistorySizes, RemembersAnId) {
    const auto sizes = std::make_unique<HistorySizes>();
    EXPECT_EQ(sizes->of(""), 0U);
    EXPECT_EQ(sizes->of("resp_1"), HistorySizes::kUsual);
    sizes->learn("resp_1", 5'000);
    sizes->learn("", 7);
    EXPECT_EQ(sizes->of("resp_1"), 5'000U);
    EXPECT_EQ(sizes->of("resp_2"), HistorySizes::kUsual);
    EXPECT_EQ(sizes->of(""), 0U);
    sizes->learn("resp_1", 1ULL << 40U);
    EXPECT_EQ(sizes->of("resp_1"), 0xffffffffU);
}

TEST(HistorySizes, ForgetsRatherThanGrow) {
    const auto sizes = std::make_unique<HistorySizes>();
    for (std::uint64_t i = 0; i < 100'000; ++i) sizes->learn("resp_" + std::to_string(i), 100 + i);
    std::size_t known = 0;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
        const std::uint64_t held = sizes->of("resp_" + std::to_string(i));
        // Never another id's, but by a chance of one in two thousand million.
        EXPECT_TRUE(held == 100 + i || held == HistorySizes::kUsual) << i;
        known += held == 100 + i ? 1U : 0U;
    }
    EXPECT_GT(known, HistorySizes::kPlaces / 2);
    EXPECT_LE(known, HistorySizes::kPlaces);
}

}  // namespace
}  // namespace spillway::quota
