#include "base/timer.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/loop.hpp"
#include "base/task.hpp"

namespace spillway {
namespace {

using namespace std::chrono_literals;

/// Sleeps until invented times: the loop's queue is told what time it is.
class TimerTest : public testing::Test {
protected:
    Task<> sleep(Timer& timer, Mono due, char name) {
        const bool rang = co_await timer.sleep_until(due);
        order_ += name;
        if (!rang) order_ += '!';
    }
    /// Begins what was spawned.
    void begin() { loop_.run_for(0ms); }
    void pass(Duration time) {
        now_ += time;
        loop_.timers().expire(now_);
    }

    Loop loop_;
    Mono now_ = mono_now() + std::chrono::hours(1);
    std::string order_;
};

TEST_F(TimerTest, RingInTheOrderOfTheirTimes) {
    Timer a(loop_), b(loop_), c(loop_);
    loop_.spawn(sleep(a, now_ + 3s, 'a'));
    loop_.spawn(sleep(b, now_ + 1s, 'b'));
    loop_.spawn(sleep(c, now_ + 2s, 'c'));
    begin();
    EXPECT_EQ(loop_.timers().next(), now_ + 1s);
    pass(999ms);
    EXPECT_EQ(order_, "");
    pass(1ms);
    EXPECT_EQ(order_, "b");
    pass(10s);
    EXPECT_EQ(order_, "bca");
    EXPECT_FALSE(loop_.timers().next());
}

TEST_F(TimerTest, ACancelledSleeperIsToldSo) {
    Timer a(loop_);
    loop_.spawn(sleep(a, now_ + 3s, 'a'));
    begin();
    a.cancel();
    EXPECT_EQ(order_, "") << "never inside the call";
    begin();
    EXPECT_EQ(order_, "a!");
    a.cancel();  // nobody sleeps
    begin();
    EXPECT_EQ(order_, "a!");
}

TEST_F(TimerTest, MayBeUsedAgain) {
    Timer a(loop_);
    loop_.spawn([&]() -> Task<> {
        co_await sleep(a, now_ + 1s, 'x');
        co_await sleep(a, now_ + 2s, 'y');
    });
    begin();
    pass(1s);
    EXPECT_EQ(order_, "x");
    pass(2s);
    EXPECT_EQ(order_, "xy");
}

TEST_F(TimerTest, OneThatGoesWakesNobody) {
    std::optional<Timer> a(std::in_place, loop_);
    loop_.spawn(sleep(*a, now_ + 1s, 'a'));
    begin();
    a.reset();
    EXPECT_FALSE(loop_.timers().next());
    pass(10s);
    EXPECT_EQ(order_, "");
}

TEST_F(TimerTest, OneThatSleepsUntilThePastHoldsUpNobody) {
    Timer a(loop_), b(loop_);
    bool stop = false;
    loop_.spawn([&]() -> Task<> {
        while (!stop) (void)co_await a.sleep_until(now_ - 1s);
    });
    loop_.spawn(sleep(b, now_ + 1s, 'b'));
    begin();
    pass(1s);  // returns
    stop = true;
    pass(1s);
    EXPECT_EQ(order_, "b");
}

TEST_F(TimerTest, RingsInRealTimeAndNeverEarly) {
    Timer a(loop_);
    const Mono start = mono_now();
    Mono rang{};
    loop_.spawn([&]() -> Task<> {
        EXPECT_TRUE(co_await a.sleep_for(20ms));
        rang = mono_now();
    });
    loop_.run();
    EXPECT_GE(rang - start, 20ms);
}

}  // namespace
}  // namespace spillway
