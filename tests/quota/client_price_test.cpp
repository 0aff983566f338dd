#include "quota/client_price.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace spillway::quota {
namespace {

const api::Usage kUsage{.prompt = 1000, .completion = 200, .total = 1200, .cached = 600, .reasoning = 150};

TEST(Weights, EachKindCountsByItsOwn) {
    EXPECT_EQ(weighted({}, kUsage), 1200);
    EXPECT_EQ(weighted({.cached = 0.1}, kUsage), 400 + 60 + 200);
    EXPECT_EQ(weighted({.reasoning = 2}, kUsage), 1000 + 50 + 300);
    EXPECT_EQ(weighted({.prompt = 0, .cached = 0, .completion = 1, .reasoning = 0}, kUsage), 50);
    EXPECT_EQ(weighted({.prompt = 0.5}, {.prompt = 3}), 2);  // rounded up
    EXPECT_EQ(weighted({.prompt = 0.1}, {.prompt = 30}), 3);
}

TEST(Weights, NonsenseOfABackendStaysWithinBounds) {
    constexpr auto huge = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(weighted({}, {.prompt = huge, .completion = huge}), 4294967295);
    EXPECT_EQ(weighted({.cached = 0}, {.prompt = 10, .cached = huge}), 0);
    EXPECT_EQ(weighted({}, {}), 0);
}

TEST(Prices, CostInMoneyUnits) {
    const Price price{.prompt = 2.5, .cached = 1.25, .completion = 10};
    // 400 × 2.5 + 600 × 1.25 + 200 × 10 = 3750 per million
    EXPECT_EQ(cost(price, kUsage), 37'500);
    EXPECT_NEAR(static_cast<double>(cost(price, kUsage)) * kMoneyUnit, 0.00375, 1e-9);
    EXPECT_EQ(cost({.prompt = 0.02}, {.prompt = 1}), 1);
    EXPECT_EQ(cost({}, kUsage), 0);
}

TEST(Prices, ADatedModelIsFoundByItsFamily) {
    const Prices prices({{"gpt-4o", {1, 0.5, 2}}, {"gpt-4o-mini", {3, 1, 4}}});
    ASSERT_NE(prices.find("gpt-4o-2024-08-06"), nullptr);
    EXPECT_EQ(prices.find("gpt-4o-2024-08-06")->prompt, 1);
    EXPECT_EQ(prices.find("gpt-4o-mini-2024-07-18")->prompt, 3);
    EXPECT_EQ(prices.find("gpt-4"), nullptr);
    EXPECT_EQ(prices.find("gpt-4omni"), nullptr);
    EXPECT_EQ(prices.find(""), nullptr);
}

}  // namespace
}  // namespace spillway::quota
