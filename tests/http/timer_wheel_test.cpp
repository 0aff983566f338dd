#include "base/timer_wheel.hpp"

#include "base/task.hpp"
#include "http/support.hpp"

namespace spillway::http::test {
namespace {

TEST(TimerWheelTest, FiresInOrderNeverEarlyAndSoon) {
    Loop loop;
    TimerWheel& wheel = TimerWheel::of(loop.io);
    EXPECT_EQ(&wheel, &TimerWheel::of(loop.io));
    std::vector<int> fired;
    std::vector<Duration> after;
    const Mono start = mono_now();
    const auto note = [&](int n) {
        return [&, n] {
            fired.push_back(n);
            after.push_back(mono_now() - start);
        };
    };
    Timeout a(note(1));
    Timeout b(note(2));
    Timeout never(note(3));
    Timeout off(note(4));
    wheel.arm(b, 110ms);
    wheel.arm(a, 30ms);
    wheel.arm(never, 50ms);
    wheel.arm(off, 50ms);
    never.disarm();
    wheel.arm(off, Duration::zero());
    EXPECT_FALSE(off.armed());
    loop.run([&]() -> Task<void> { EXPECT_TRUE(co_await loop.until([&] { return fired.size() == 2; })); });
    EXPECT_EQ(fired, (std::vector{1, 2}));
    EXPECT_GE(after[0], Duration(30ms));
    EXPECT_GE(after[1], Duration(110ms));
    EXPECT_LT(after[1], Duration(1s));
}

TEST(TimerWheelTest, OneThatIsArmedAnewFiresAtItsLastTime) {
    Loop loop;
    TimerWheel& wheel = TimerWheel::of(loop.io);
    const Mono start = mono_now();
    Duration later_after{};
    Duration sooner_after{};
    Timeout later([&] { later_after = mono_now() - start; });
    Timeout sooner([&] { sooner_after = mono_now() - start; });
    wheel.arm(later, 30ms);
    wheel.arm(later, 200ms);
    wheel.arm(sooner, 10s);
    sooner.disarm();
    EXPECT_FALSE(sooner.armed());
    wheel.arm(sooner, 60ms);
    EXPECT_TRUE(sooner.armed());
    loop.run([&]() -> Task<void> {
        EXPECT_TRUE(co_await loop.until([&] { return later_after > 0ms && sooner_after > 0ms; }));
    });
    EXPECT_GE(later_after, Duration(200ms));
    EXPECT_LT(later_after, Duration(1s));
    EXPECT_GE(sooner_after, Duration(60ms));
    EXPECT_LT(sooner_after, later_after);
}

TEST(TimerWheelTest, ThoseDisarmedKeepNoLoopAlive) {
    Loop loop;
    TimerWheel& wheel = TimerWheel::of(loop.io);
    Timeout off([] { FAIL(); });
    Timeout moved([] {});
    wheel.arm(off, 1h);
    wheel.arm(moved, 1h);
    off.disarm();
    moved.disarm();
    const Mono start = mono_now();
    loop.io.run_for(10s);  // ends before, when nothing is left to wait for
    EXPECT_LT(mono_now() - start, Duration(5s));
    wheel.arm(moved, 1ms);
    EXPECT_TRUE(moved.armed());
    loop.io.restart();
    loop.io.run_for(10s);
    EXPECT_FALSE(moved.armed());
}

TEST(TimerWheelTest, AtOnceDueTheyMayEndOrPutOffEachOther) {
    Loop loop;
    TimerWheel& wheel = TimerWheel::of(loop.io);
    int fired = 0;
    std::vector<std::unique_ptr<Timeout>> all;
    const auto first = [&] {
        if (++fired > 1) return;
        all[1]->disarm();
        wheel.arm(*all[2], 100ms);
    };
    all.push_back(std::make_unique<Timeout>(first));
    all.push_back(std::make_unique<Timeout>([] { FAIL() << "was disarmed"; }));
    const Mono start = mono_now();
    Duration put_off{};
    all.push_back(std::make_unique<Timeout>([&] { put_off = mono_now() - start; }));
    for (const auto& timeout : all) wheel.arm(*timeout, 20ms);
    loop.run([&]() -> Task<void> { EXPECT_TRUE(co_await loop.until([&] { return put_off > 0ms; })); });
    EXPECT_EQ(fired, 1);
    EXPECT_GE(put_off, Duration(120ms));
}

TEST(TimerWheelTest, ACallbackMayArmItselfAndEndOthers) {
    Loop loop;
    TimerWheel& wheel = TimerWheel::of(loop.io);
    int rounds = 0;
    std::optional<Timeout> other;
    other.emplace([] { FAIL() << "was destroyed before"; });
    Timeout* self = nullptr;
    Timeout again([&] {
        other.reset();
        if (++rounds < 3) wheel.arm(*self, 1ms);
    });
    self = &again;
    wheel.arm(again, 1ms);
    wheel.arm(*other, 1ms);
    loop.run([&]() -> Task<void> { EXPECT_TRUE(co_await loop.until([&] { return rounds == 3; })); });
}

TEST(TimerWheelTest, OneThatThrowsDoesNotStopTheOthers) {
    Loop loop;
    TimerWheel& wheel = TimerWheel::of(loop.io);
    bool fired = false;
    Timeout bad([] { throw std::runtime_error("thrown"); });
    Timeout good([&] { fired = true; });
    wheel.arm(bad, 1ms);
    wheel.arm(good, 100ms);
    EXPECT_THROW(loop.io.run_for(5s), std::runtime_error);
    loop.run([&]() -> Task<void> { EXPECT_TRUE(co_await loop.until([&] { return fired; })); });
}

TEST(TimerWheelTest, ATimeoutMayOutliveTheLoop) {
    Timeout late([] { FAIL(); });
    {
        Loop loop;
        TimerWheel::of(loop.io).arm(late, 1h);
        EXPECT_TRUE(late.armed());
    }
    EXPECT_FALSE(late.armed());
}

}  // namespace
}  // namespace spillway::http::test
