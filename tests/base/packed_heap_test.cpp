#include "base/packed_heap.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace spillway {
namespace {

/// Counts what it gives.
class Chunks final : public std::pmr::memory_resource {
public:
    std::vector<std::size_t> sizes;
    std::size_t given_back = 0;

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        sizes.push_back(bytes);
        return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
        ++given_back;
        std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }
};

TEST(PackedHeap, BlocksLieInAFewChunksEachInItsOwnLines) {
    Chunks chunks;
    std::vector<void*> blocks;
    {
        PackedHeap heap(&chunks);
        std::set<std::uintptr_t> lines;
        for (int i = 0; i < 10'000; ++i) {
            const std::size_t bytes = i % 3 == 0 ? 512 : i % 3 == 1 ? 320 : 8;
            auto* const block = static_cast<std::byte*>(heap.allocate(bytes, 64));
            std::memset(block, 0xff, bytes);
            for (std::size_t at = 0; at < bytes; at += kCacheLine)
                EXPECT_TRUE(lines.insert(reinterpret_cast<std::uintptr_t>(block + at) / kCacheLine).second);
        }
        EXPECT_EQ(chunks.sizes, (std::vector<std::size_t>{64 << 10, 2 << 20, 2 << 20}));
    }
    EXPECT_EQ(chunks.given_back, chunks.sizes.size());
}

TEST(PackedHeap, AFreedBlockIsTheNextOfItsSize) {
    Chunks chunks;
    PackedHeap heap(&chunks);
    void* const small = heap.allocate(60, 8);
    void* const large = heap.allocate(300, 8);
    heap.deallocate(small, 60, 8);
    heap.deallocate(large, 300, 8);
    EXPECT_EQ(heap.allocate(320, 64), large);
    EXPECT_EQ(heap.allocate(64, 64), small);
    for (int i = 0; i < 100'000; ++i) heap.deallocate(heap.allocate(512, 64), 512, 64);
    EXPECT_EQ(chunks.sizes.size(), 1U);
}

TEST(PackedHeap, WhatIsLargeIsGivenBack) {
    Chunks chunks;
    PackedHeap heap(&chunks);
    heap.deallocate(heap.allocate(PackedHeap::kLargest + 1, 8), PackedHeap::kLargest + 1, 8);
    EXPECT_TRUE(chunks.sizes.empty());
}

TEST(PackedHeap, ThreadsShareIt) {
    Chunks chunks;
    PackedHeap heap(&chunks);
    const auto use = [&heap](unsigned char mark) {
        std::vector<unsigned char*> own;
        for (int i = 0; i < 20'000; ++i) {
            own.push_back(static_cast<unsigned char*>(heap.allocate(128, 64)));
            std::memset(own.back(), mark, 128);
            if (i % 3 != 0) continue;
            EXPECT_EQ(own.back()[127], mark);
            heap.deallocate(own.back(), 128, 64);
            own.pop_back();
        }
        for (const unsigned char* block : own) EXPECT_TRUE(block[0] == mark && block[127] == mark);
    };
    std::thread one([&] { use(1); });
    std::thread other([&] { use(2); });
    one.join();
    other.join();
}

}  // namespace
}  // namespace spillway
