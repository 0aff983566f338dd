#include "base/published.hpp"

#include <gtest/gtest.h>

#include <array>
#include <mutex>
#include <thread>
#include <vector>

#include "base/spin_lock.hpp"

namespace spillway {
namespace {

/// Eleven numbers that are all the same, and one that has no default.
struct Value {
    explicit Value(std::uint64_t n) { numbers.fill(n); }
    [[nodiscard]] bool whole() const {
        for (const auto n : numbers)
            if (n != numbers[0]) return false;
        return odd == static_cast<std::uint8_t>(numbers[0]);
    }
    std::array<std::uint64_t, 11> numbers{};
    std::uint8_t odd = static_cast<std::uint8_t>(0);
};

Value value(std::uint64_t n) {
    Value out(n);
    out.odd = static_cast<std::uint8_t>(n);
    return out;
}

TEST(Published, IsWhatWasStoredLast) {
    Published<Value> published(value(7));
    EXPECT_EQ(published.load().numbers[10], 7U);
    published.store(value(300));
    EXPECT_EQ(published.load().numbers[0], 300U);
    EXPECT_TRUE(published.load().whole());
}

TEST(Published, IsReadAsAWholeWhileItIsReplaced) {
    Published<Value> published(value(0));
    SpinLock lock;
    std::uint64_t count = 0;
    std::vector<std::thread> threads;
    for (int n = 0; n < 2; ++n)
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                const std::lock_guard held(lock);
                published.store(value(++count));
            }
        });
    std::uint64_t last = 0;
    while (last < 40'000) {
        const Value seen = published.load();
        ASSERT_TRUE(seen.whole());
        ASSERT_GE(seen.numbers[0], last);  // never back
        last = seen.numbers[0];
    }
    for (auto& t : threads) t.join();
    EXPECT_EQ(count, 40'000U);
}

TEST(SpinLock, LetsOneInAtATime) {
    SpinLock lock;
    std::uint64_t count = 0;
    std::vector<std::thread> threads;
    for (int n = 0; n < 4; ++n)
        threads.emplace_back([&] {
            for (int i = 0; i < 50'000; ++i) {
                const std::lock_guard held(lock);
                ++count;
            }
        });
    for (auto& t : threads) t.join();
    EXPECT_EQ(count, 200'000U);
}

}  // namespace
}  // namespace spillway
