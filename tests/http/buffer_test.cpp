#include "http/buffer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/loop.hpp"

namespace spillway::http {
namespace {

class BufferTest : public testing::Test {
protected:
    Loop io_;
    BufferPool& pool_ = BufferPool::of(io_);
    Buffer buffer_{pool_};
};

TEST_F(BufferTest, GrowsAndKeepsWhatItHolds) {
    std::string all;
    for (int i = 0; i < 3000; ++i) all += std::to_string(i) + ' ';
    for (std::size_t at = 0; at < all.size(); at += 700)
        buffer_.append(std::string_view(all).substr(at, 700));
    EXPECT_EQ(buffer_.view(), all);
    buffer_.consume(5000);
    EXPECT_EQ(buffer_.view(), std::string_view(all).substr(5000));
    buffer_.append("end");
    EXPECT_EQ(buffer_.view(), all.substr(5000) + "end");
}

TEST_F(BufferTest, HasReadableBytesBehindTheData) {
    const auto space = buffer_.prepare(4096);
    buffer_.commit(space.size());
    const char* const end = buffer_.view().data() + buffer_.size();
    for (std::size_t i = 0; i < Buffer::padding; ++i) EXPECT_EQ(end[i], 0);
}

TEST_F(BufferTest, HoldsNoMemoryAtRestAndLosesNothing) {
    buffer_.append("line\r\nrest");
    buffer_.consume(6);
    buffer_.rest();
    EXPECT_EQ(buffer_.capacity(), 0U);
    EXPECT_EQ(buffer_.view(), "rest");
    buffer_.rest();
    EXPECT_EQ(buffer_.view(), "rest");
    buffer_.append(" and more");
    EXPECT_EQ(buffer_.view(), "rest and more");
    buffer_.consume(buffer_.size());
    buffer_.rest();
    EXPECT_TRUE(buffer_.empty());
    EXPECT_EQ(buffer_.capacity(), 0U);
}

TEST_F(BufferTest, KeepsItsMemoryAtRestWhenItHoldsMuch) {
    buffer_.append("more than a few bytes of a request");
    const char* const before = buffer_.view().data();
    buffer_.rest();
    EXPECT_EQ(buffer_.view().data(), before);
}

TEST(BufferPoolTest, GivesTheBlockThatCameBackLast) {
    spillway::Loop io;
    BufferPool& pool = BufferPool::of(io);
    auto a = pool.acquire(100);
    auto b = pool.acquire(4096);
    char* const last = b.get();
    EXPECT_EQ(a.get_deleter().capacity, BufferPool::smallest);
    a.reset();
    b.reset();
    EXPECT_EQ(pool.acquire(1).get(), last);
}

TEST(BufferPoolTest, RoundsUpAndTakesTheLargestFromTheHeap) {
    spillway::Loop io;
    BufferPool& pool = BufferPool::of(io);
    EXPECT_EQ(pool.acquire(4097).get_deleter().capacity, 8192U);
    EXPECT_EQ(pool.acquire(100'000).get_deleter().capacity, 131'072U);
    EXPECT_EQ(pool.acquire(BufferPool::largest).get_deleter().capacity, BufferPool::largest);
    EXPECT_EQ(pool.acquire(BufferPool::largest + 1).get_deleter().capacity, BufferPool::largest + 1);
}

TEST(BufferPoolTest, KeepsNoMoreThanItMay) {
    spillway::Loop io;
    BufferPool& pool = BufferPool::of(io);
    std::vector<BufferPool::Block> out;
    for (std::size_t sum = 0; sum < 2 * BufferPool::most_kept; sum += BufferPool::largest)
        out.push_back(pool.acquire(BufferPool::largest));
    out.clear();
    EXPECT_EQ(pool.kept(), BufferPool::most_kept);
    const auto one = pool.acquire(BufferPool::largest);
    EXPECT_EQ(pool.kept(), BufferPool::most_kept - BufferPool::largest);
}

}  // namespace
}  // namespace spillway::http
