// Bytes that many share.
#include "base/memory_budget.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/system_memory.hpp"

namespace spillway {
namespace {

TEST(MemoryBudgetTest, RefusesWhatGoesBeyondTheLimit) {
    MemoryBudget budget(100);
    MemoryCharge a;
    MemoryCharge b;
    EXPECT_TRUE(a.grow_to(&budget, 60));
    EXPECT_FALSE(b.grow_to(&budget, 41));
    EXPECT_EQ(b.bytes(), 0U);
    EXPECT_TRUE(b.grow_to(&budget, 40));
    EXPECT_EQ(budget.used(), 100U);
    EXPECT_FALSE(a.grow_to(&budget, 61));
    EXPECT_TRUE(a.grow_to(&budget, 20)) << "it has that";
    EXPECT_EQ(budget.refused(), 2U);
    a.release();
    EXPECT_EQ(budget.used(), 40U);
    EXPECT_TRUE(b.grow_to(&budget, 100));
}

TEST(MemoryBudgetTest, GivesBackWhenTheChargeGoes) {
    MemoryBudget budget(100);
    {
        MemoryCharge charge;
        EXPECT_TRUE(charge.grow_to(&budget, 10));
        EXPECT_TRUE(charge.grow_to(&budget, 70));
        EXPECT_EQ(budget.used(), 70U);
    }
    EXPECT_EQ(budget.used(), 0U);
}

TEST(MemoryBudgetTest, NoSizeWrapsAround) {
    MemoryBudget budget(100);
    EXPECT_TRUE(budget.try_acquire(1));
    EXPECT_FALSE(budget.try_acquire(std::numeric_limits<std::size_t>::max()));
    EXPECT_FALSE(budget.try_acquire(std::numeric_limits<std::size_t>::max() - 1));
    EXPECT_EQ(budget.used(), 1U);
}

TEST(MemoryBudgetTest, ASmallerLimitHoldsForWhatComes) {
    MemoryBudget budget(100);
    EXPECT_TRUE(budget.try_acquire(80));
    budget.use_limit(50);
    EXPECT_FALSE(budget.try_acquire(1));
    budget.release(40);
    EXPECT_TRUE(budget.try_acquire(10));
}

TEST(MemoryBudgetTest, NoBudgetIsNoLimit) {
    MemoryCharge charge;
    EXPECT_TRUE(charge.grow_to(nullptr, 1'000'000));
}

TEST(SystemMemoryTest, IsKnown) {
    EXPECT_GT(system_memory(), 16U * 1024 * 1024);
    EXPECT_LT(system_memory(), std::numeric_limits<std::size_t>::max());
}

}  // namespace
}  // namespace spillway
