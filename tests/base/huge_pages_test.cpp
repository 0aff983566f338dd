#include "base/huge_pages.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <numeric>
#include <string>
#include <vector>

namespace spillway {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

TEST(HugePages, LargeBlocksAreAlignedWholeAndGivenBack) {
    for (const std::size_t bytes : {2 * kMiB, 2 * kMiB + 1, 5 * kMiB - 7}) {
        void* const block = huge_pages()->allocate(bytes, 64);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % (2 * kMiB), 0U);
        auto* const first = static_cast<char*>(block);
        first[0] = 'a';
        first[bytes - 1] = 'z';
        EXPECT_EQ(first[0], 'a');
        huge_pages()->deallocate(block, bytes, 64);
    }
}

TEST(HugePages, ATableGrowsThroughBothKinds) {
    std::pmr::vector<std::uint64_t> table(huge_pages());
    for (std::uint64_t i = 0; i < 1'000'000; ++i) table.push_back(i);
    EXPECT_EQ(std::accumulate(table.begin(), table.end(), std::uint64_t{0}), 999'999ULL * 1'000'000 / 2);
    const auto* const place = table.data();
    const std::pmr::vector<std::uint64_t> moved = std::move(table);
    EXPECT_EQ(moved.data(), place);
}

TEST(HugePages, WhatStaysWhereItIsCanLieInThem) {
    std::pmr::monotonic_buffer_resource memory(1024, huge_pages());
    std::pmr::deque<std::string> texts(&memory);
    for (int i = 0; i < 200'000; ++i) texts.emplace_back("a text that is too long to be held inside");
    const std::string& first = texts.front();
    texts.emplace_back("the last");
    EXPECT_EQ(&first, &texts.front());
    EXPECT_EQ(texts.back(), "the last");
}

}  // namespace
}  // namespace spillway
