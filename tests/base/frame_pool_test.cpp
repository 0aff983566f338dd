#include "base/frame_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "base/loop.hpp"
#include "base/task.hpp"

namespace spillway {
namespace {

/// On a thread of its own, so that nothing is kept yet.
template <class Check>
void with_empty_pool(Check check) {
    std::thread([&] { check(FramePool::own()); }).join();
}

TEST(FramePool, GivesTheBlockThatWasUsedLast) {
    with_empty_pool([](FramePool& pool) {
        void* const first = pool.allocate(500);
        void* const second = pool.allocate(500);
        pool.deallocate(first, 500);
        pool.deallocate(second, 500);
        EXPECT_EQ(pool.kept(), 2 * 512U);
        EXPECT_EQ(pool.allocate(490), second);  // of the same step
        EXPECT_EQ(pool.allocate(512), first);
        EXPECT_EQ(pool.kept(), 0U);
        pool.deallocate(first, 512);
        pool.deallocate(second, 490);
    });
}

TEST(FramePool, ABlockIsAsLargeAsItsStep) {
    with_empty_pool([](FramePool& pool) {
        for (std::size_t size = 1; size <= FramePool::kLargest + 1; ++size) {
            void* const block = pool.allocate(size);
            std::fill_n(static_cast<char*>(block), size, 'x');
            pool.deallocate(block, size);
        }
        EXPECT_GT(pool.kept(), 0U);
    });
}

TEST(FramePool, KeepsNoMoreThanItMay) {
    with_empty_pool([](FramePool& pool) {
        std::vector<void*> blocks(1000);
        for (void*& block : blocks) block = pool.allocate(4000);
        for (void* const block : blocks) pool.deallocate(block, 4000);
        EXPECT_LE(pool.kept(), FramePool::kMostKept);
        EXPECT_GT(pool.kept(), FramePool::kMostKept - 4096);
        void* const large = pool.allocate(1'000'000);
        const std::size_t before = pool.kept();
        pool.deallocate(large, 1'000'000);
        EXPECT_EQ(pool.kept(), before);
    });
}

TEST(FramePool, ABlockMayEndOnAnotherThread) {
    with_empty_pool([](FramePool& pool) {
        void* const block = pool.allocate(300);
        with_empty_pool([&](FramePool& other) {
            void* const own = other.allocate(300);
            other.deallocate(block, 300);
            EXPECT_EQ(other.kept(), 320U);
            other.deallocate(own, 300);
        });
        EXPECT_EQ(pool.kept(), 0U);
    });
}

TEST(FramePool, AThreadThatTakesNoneKeepsNone) {
    with_empty_pool([](FramePool& pool) {
        void* const block = pool.allocate(300);
        with_empty_pool([&](FramePool& other) {
            other.deallocate(block, 300);
            EXPECT_EQ(other.kept(), 0U);
        });
    });
}

#if !defined(SPILLWAY_ADDRESS_SANITIZER)
Task<void> nothing() {
    co_return;
}

TEST(FramePool, TasksTakeTheirFramesFromIt) {
    with_empty_pool([](FramePool& pool) {
        Loop loop;
        loop.spawn(nothing());
        EXPECT_EQ(pool.kept(), 0U);
        loop.run();
        const std::size_t kept = pool.kept();
        EXPECT_GT(kept, 0U);
        loop.spawn(nothing());
        EXPECT_LT(pool.kept(), kept);
        loop.restart();
        loop.run();
        EXPECT_EQ(pool.kept(), kept);
    });
}
#endif

}  // namespace
}  // namespace spillway
