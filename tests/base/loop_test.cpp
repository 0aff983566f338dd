#include "base/loop.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/event.hpp"

namespace spillway {
namespace {

using namespace std::chrono_literals;

TEST(Loop, RunsWhatIsPostedInItsOrderAndEnds) {
    Loop loop;
    std::string order;
    loop.post([&] {
        order += 'a';
        loop.post([&] { order += 'c'; });
    });
    loop.post([&] { order += 'b'; });
    loop.run();
    EXPECT_EQ(order, "abc");
    EXPECT_TRUE(loop.stopped()) << "nothing was left to wait for";
}

TEST(Loop, TakesPostsFromOtherThreadsWhileItWaits) {
    Loop loop;
    std::optional<Loop::Work> work(loop);
    std::thread::id ran_on;
    std::thread other([&] {
        std::this_thread::sleep_for(10ms);
        loop.post([&] {
            ran_on = std::this_thread::get_id();
            work.reset();
        });
    });
    loop.run();
    other.join();
    EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(Loop, WorkKeepsItWaiting) {
    Loop loop;
    const Loop::Work work(loop);
    const Mono begin = mono_now();
    loop.run_for(30ms);
    EXPECT_GE(mono_now() - begin, 30ms);
    EXPECT_FALSE(loop.stopped());
}

TEST(Loop, StopsAtOnceAndGoesOnAfterRestart) {
    Loop loop;
    std::vector<int> ran;
    loop.post([&] {
        ran.push_back(1);
        loop.stop();
    });
    loop.post([&] { ran.push_back(2); });
    loop.run();
    EXPECT_EQ(ran, std::vector<int>{1});
    loop.run();
    EXPECT_EQ(ran.size(), 1U) << "stopped until restart()";
    loop.restart();
    loop.run();
    EXPECT_EQ(ran, (std::vector<int>{1, 2}));
}

TEST(Loop, WhatIsThrownComesOutOfRunAndTheRestIsKept) {
    Loop loop;
    bool rest = false;
    loop.post([] { throw std::runtime_error("as told"); });
    loop.post([&] { rest = true; });
    EXPECT_THROW(loop.run(), std::runtime_error);
    EXPECT_FALSE(rest);
    loop.restart();
    loop.run();
    EXPECT_TRUE(rest);
}

Task<> fails() {
    throw std::runtime_error("no");
    co_return;
}

TEST(Loop, ATasksFailureGoesToWhoeverAskedForItsEnd) {
    Loop loop;
    std::exception_ptr heard;
    loop.spawn(fails(), [&](const std::exception_ptr& failure) { heard = failure; });
    loop.run();
    EXPECT_TRUE(heard);
    loop.restart();
    loop.spawn(fails());
    EXPECT_THROW(loop.run(), std::runtime_error);
}

TEST(Loop, DestroysWhatStillWaits) {
    bool destroyed = false;
    struct Says {
        bool& it;
        ~Says() { it = true; }
    };
    Event never;
    bool posted = false;
    {
        Loop loop;
        loop.spawn([&]() -> Task<> {
            const Says says{destroyed};
            co_await never.wait();
        });
        loop.run();
        EXPECT_FALSE(destroyed);
        loop.post([&] { posted = true; });
    }
    EXPECT_TRUE(destroyed);
    EXPECT_FALSE(posted);
}

TEST(Loop, AnInboxOutlivesItsLoop) {
    std::shared_ptr<Inbox> inbox;
    {
        Loop loop;
        inbox = loop.inbox();
    }
    bool ran = false;
    inbox->post([&] { ran = true; });
    inbox->wake();
    EXPECT_FALSE(ran);
}

TEST(Loop, HasOneToolOfAKind) {
    struct Tool {
        explicit Tool(Loop&) {}
        int used = 0;
    };
    Loop loop;
    loop.tool<Tool>().used = 3;
    EXPECT_EQ(loop.tool<Tool>().used, 3);
    Loop other;
    EXPECT_EQ(other.tool<Tool>().used, 0);
}

}  // namespace
}  // namespace spillway
