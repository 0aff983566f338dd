#include "http/resolver.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <vector>

#include "base/loop.hpp"

namespace spillway::http {
namespace {

using namespace std::chrono_literals;

Resolver::Answer answer(std::string_view address, std::uint16_t port) {
    Resolver::Answer out;
    out.endpoints.push_back(*Endpoint::parse(std::string(address), port));
    return out;
}

TEST(Resolver, AnswersOnTheLoopAndKeepsItWaiting) {
    Loop loop;
    std::thread::id asked_on;
    loop.tool<Resolver>().use([&](const std::string& host, std::uint16_t port) {
        asked_on = std::this_thread::get_id();
        EXPECT_EQ(host, "name.example");
        return answer("192.0.2.7", port);
    });
    std::vector<Endpoint> got;
    std::thread::id told_on;
    loop.tool<Resolver>().look_up("name.example", 443, [&](Resolver::Answer a) {
        told_on = std::this_thread::get_id();
        got = std::move(a.endpoints);
    });
    EXPECT_TRUE(got.empty()) << "never inside the call";
    loop.run();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0], *Endpoint::parse("192.0.2.7", 443));
    EXPECT_NE(asked_on, std::this_thread::get_id());
    EXPECT_EQ(told_on, std::this_thread::get_id());
}

TEST(Resolver, ANameThatHangsDelaysNoOther) {
    Loop loop;
    std::latch release(1);
    std::atomic<bool> returned = false;
    loop.tool<Resolver>().use([&](const std::string& host, std::uint16_t port) {
        if (host == "slow.example") {
            release.wait();
            returned = true;
        }
        return answer("192.0.2.1", port);
    });
    std::vector<std::string> order;
    loop.tool<Resolver>().look_up("slow.example", 1,
                                  [&](const Resolver::Answer&) { order.emplace_back("slow"); });
    loop.tool<Resolver>().look_up("quick.example", 1, [&](const Resolver::Answer&) {
        order.emplace_back("quick");
        EXPECT_FALSE(returned);
        release.count_down();
    });
    loop.run();
    EXPECT_EQ(order, (std::vector<std::string>{"quick", "slow"}));
}

TEST(Resolver, MoreThanItHasThreadsForWaitTheirTurn) {
    Loop loop;
    std::atomic<int> at_once = 0;
    std::atomic<int> most = 0;
    loop.tool<Resolver>().use([&](const std::string&, std::uint16_t port) {
        const int now = ++at_once;
        int known = most;
        while (now > known && !most.compare_exchange_weak(known, now)) {
        }
        std::this_thread::sleep_for(2ms);
        --at_once;
        return answer("192.0.2.1", port);
    });
    int answered = 0;
    for (int i = 0; i < 100; ++i)
        loop.tool<Resolver>().look_up("n.example", 1, [&](const Resolver::Answer&) { ++answered; });
    loop.run();
    EXPECT_EQ(answered, 100);
    EXPECT_LE(most, 32);
}

TEST(Resolver, SaysWhyThereIsNoAddress) {
    Loop loop;
    std::string problem;
    bool empty = false;
    loop.tool<Resolver>().look_up("no such name", 80, [&](const Resolver::Answer& a) {
        problem = a.problem;
        empty = a.endpoints.empty();
    });
    loop.run();
    EXPECT_TRUE(empty);
    EXPECT_FALSE(problem.empty());
}

TEST(Resolver, KnowsTheSystemsOwnName) {
    Loop loop;
    std::vector<Endpoint> got;
    loop.tool<Resolver>().look_up("localhost", 8080,
                                  [&](Resolver::Answer a) { got = std::move(a.endpoints); });
    loop.run();
    ASSERT_FALSE(got.empty());
    for (const Endpoint& e : got)
        EXPECT_TRUE(e == *Endpoint::parse("127.0.0.1", 8080) || e == *Endpoint::parse("::1", 8080));
}

TEST(Resolver, AnAnswerAfterItsLoopIsDropped) {
    std::latch release(1);
    std::latch returned(1);
    bool told = false;
    {
        Loop loop;
        loop.tool<Resolver>().use([&](const std::string&, std::uint16_t port) {
            release.wait();
            returned.count_down();
            return answer("192.0.2.1", port);
        });
        loop.tool<Resolver>().look_up("n.example", 1, [&](const Resolver::Answer&) { told = true; });
        loop.run_for(10ms);
    }
    release.count_down();
    returned.wait();
    EXPECT_FALSE(told);
}

}  // namespace
}  // namespace spillway::http
