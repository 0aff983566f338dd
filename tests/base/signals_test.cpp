#include "base/signals.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <csignal>
#include <vector>

#include "base/loop.hpp"

namespace spillway {
namespace {

using namespace std::chrono_literals;

bool is_blocked(int number) {
    sigset_t now;
    ::sigemptyset(&now);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
    return ::sigismember(&now, number) == 1;
}

TEST(Signals, AreValuesOfTheLoop) {
    Loop loop;
    Signals signals(loop, {SIGUSR1, SIGUSR2});
    std::vector<int> got;
    loop.spawn([&]() -> Task<> {
        for (int i = 0; i < 2; ++i) got.push_back(co_await signals.next());
        loop.stop();
    });
    ::pthread_kill(::pthread_self(), SIGUSR2);
    loop.run_for(5s);
    ::pthread_kill(::pthread_self(), SIGUSR1);
    loop.run_for(5s);
    EXPECT_EQ(got, (std::vector<int>{SIGUSR2, SIGUSR1}));
}

TEST(Signals, GiveBackWhatTheyBlocked) {
    Loop loop;
    ASSERT_FALSE(is_blocked(SIGUSR1));
    {
        const Signals signals(loop, {SIGUSR1});
        EXPECT_TRUE(is_blocked(SIGUSR1));
        EXPECT_FALSE(is_blocked(SIGUSR2));
    }
    EXPECT_FALSE(is_blocked(SIGUSR1));
}

}  // namespace
}  // namespace spillway
