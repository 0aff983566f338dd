#include "base/thread_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/loop.hpp"

namespace spillway {
namespace {

using namespace std::chrono_literals;

TEST(ThreadPool, WorksElsewhereAndGoesOnAtHome) {
    ThreadPool pool(1);
    Loop loop;
    std::thread::id worked_on;
    std::thread::id went_on;
    std::string got;
    loop.spawn([&]() -> Task<> {
        got = co_await run_on(pool, [&] {
            worked_on = std::this_thread::get_id();
            return std::string("done");
        });
        went_on = std::this_thread::get_id();
    });
    loop.run();  // waits for it
    EXPECT_EQ(got, "done");
    EXPECT_NE(worked_on, std::this_thread::get_id());
    EXPECT_EQ(went_on, std::this_thread::get_id());
}

TEST(ThreadPool, PassesOnWhatIsThrown) {
    ThreadPool pool(1);
    Loop loop;
    bool caught = false;
    loop.spawn([&]() -> Task<> {
        try {
            (void)co_await run_on(pool, []() -> int { throw std::runtime_error("no"); });
        } catch (const std::runtime_error&) {
            caught = true;
        }
    });
    loop.run();
    EXPECT_TRUE(caught);
}

TEST(ThreadPool, RunsAsManyAtOnceAsItHasThreads) {
    ThreadPool pool(2);
    std::latch both(2);  // each waits for the other
    std::atomic<int> met = 0;
    for (int i = 0; i < 2; ++i)
        pool.submit([&] {
            both.arrive_and_wait();
            ++met;
        });
    both.wait();
    pool.join();
    EXPECT_EQ(met, 2);
}

TEST(ThreadPool, JoinEndsWhatRunsAndDropsWhatHasNotBegun) {
    ThreadPool pool(1);
    std::latch begun(1);
    std::latch may_end(1);
    std::atomic<bool> ended = false;
    std::atomic<bool> second = false;
    pool.submit([&] {
        begun.count_down();
        may_end.wait();
        ended = true;
    });
    begun.wait();
    pool.submit([&] { second = true; });
    std::thread joins([&] { pool.join(); });
    std::this_thread::sleep_for(20ms);  // it waits by now
    EXPECT_FALSE(ended);
    may_end.count_down();
    joins.join();
    EXPECT_TRUE(ended);
    EXPECT_FALSE(second);
}

}  // namespace
}  // namespace spillway
