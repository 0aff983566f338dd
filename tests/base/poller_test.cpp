#include "base/poller.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/idle_turn.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"

namespace spillway {
namespace {

using namespace std::chrono_literals;

/// One end of a pair of sockets that is watched, and the other one.
class Watched final : private Watcher {
public:
    explicit Watched(Loop& io, EventClass events = EventClass::work_under_way)
        : Watcher(events), poller_(Poller::of(io)) {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0);
        std::error_code ec;
        poller_.add(ends_[0], *this, ec);
        EXPECT_FALSE(ec);
    }
    ~Watched() {
        if (watched_) forget();
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    void forget() {
        poller_.remove(ends_[0], *this);
        watched_ = false;
    }
    void say(std::string_view text) const {
        EXPECT_EQ(::send(ends_[1], text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    }
    void end() const { ::shutdown(ends_[1], SHUT_WR); }
    void soon() { poller_.call_soon(*this); }
    void expect(EventClass events) { set_class(events); }

    std::function<void()> when_ready = [] {};
    Ready last;
    int calls = 0;
    int turns = 0;

private:
    void on_ready(Ready ready) override {
        last = ready;
        if (!ready.readable) return;  // at first each is writable
        ++calls;
        when_ready();
    }
    void on_turn() override { ++turns; }

    Poller& poller_;
    std::array<int, 2> ends_{};
    bool watched_ = true;
};

class PollerTest : public testing::Test {
protected:
    /// Clients that may bring new work; their first news, that there is room to write, is calls already.
    std::deque<Watched> crowd(int count) {
        std::deque<Watched> clients;
        for (int i = 0; i < count; ++i) clients.emplace_back(io_, EventClass::new_work);
        io_.run_for(30ms);
        return clients;
    }
    Loop io_;
};

TEST_F(PollerTest, TellsOnceOfWhatCame) {
    Watched one(io_);
    one.say("a");
    io_.run_for(30ms);
    EXPECT_EQ(one.calls, 1);
    EXPECT_FALSE(one.last.ended);
    one.say("b");
    io_.run_for(30ms);
    EXPECT_EQ(one.calls, 2);
}

TEST_F(PollerTest, TellsOfTheEndTogetherWithTheBytesBeforeIt) {
    Watched one(io_);
    one.say("last words");
    one.end();
    io_.run_for(30ms);
    EXPECT_EQ(one.calls, 1);
    EXPECT_TRUE(one.last.ended);
}

TEST_F(PollerTest, OneThatIsGoneIsNotToldOfWhatCameInTheSameTurn) {
    auto first = std::make_unique<Watched>(io_);
    auto second = std::make_unique<Watched>(io_);
    int calls = 0;
    first->when_ready = [&] {
        ++calls;
        second.reset();
    };
    second->when_ready = [&] {
        ++calls;
        first.reset();
    };
    first->say("x");
    second->say("y");
    io_.run_for(30ms);
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE((first == nullptr) != (second == nullptr));
}

TEST_F(PollerTest, WorkUnderWayGoesBeforeNewWork) {
    auto clients = crowd(100);
    Watched backend(io_);
    io_.run_for(30ms);
    int asked = 0;
    int asked_before_the_answer = 0;
    for (Watched& client : clients) {
        client.when_ready = [&] {
            if (++asked == 1) backend.say("an answer");
        };
        client.say("a request");
    }
    backend.when_ready = [&] { asked_before_the_answer = asked; };
    io_.run_for(100ms);
    EXPECT_EQ(asked, 100);
    EXPECT_EQ(backend.calls, 1);
    EXPECT_LE(asked_before_the_answer, 20);
    EXPECT_GE(asked_before_the_answer, 1);
}

TEST_F(PollerTest, ARequestThatIsHalfReadIsWorkUnderWay) {
    auto clients = crowd(100);
    clients.back().expect(EventClass::work_under_way);
    int asked = 0;
    for (Watched& client : clients) {
        client.when_ready = [&] { ++asked; };
        client.say("a request");
    }
    int asked_before = -1;
    clients.back().when_ready = [&] { asked_before = asked; };
    io_.run_for(100ms);
    EXPECT_EQ(asked, 99);
    EXPECT_EQ(asked_before, 0);
}

TEST_F(PollerTest, TheEndOfOneThatWaitsItsTurnIsToldAtOnce) {
    auto clients = crowd(100);
    int asked = 0;
    int asked_before_the_end = 0;
    for (Watched& client : clients) {
        client.when_ready = [&] {
            if (++asked == 1) clients.back().end();
        };
        client.say("a request");
    }
    clients.back().when_ready = [&] { asked_before_the_end = asked; };
    io_.run_for(100ms);
    EXPECT_EQ(asked, 99);
    EXPECT_EQ(clients.back().calls, 1);
    EXPECT_TRUE(clients.back().last.ended);
    EXPECT_TRUE(clients.back().last.readable);
    EXPECT_LE(asked_before_the_end, 20);
}

TEST_F(PollerTest, OneThatIsGoneIsNotToldOfWhatWaits) {
    auto clients = crowd(40);
    for (Watched& client : clients) client.say("a request");
    clients.front().when_ready = [&] {
        while (clients.size() > 30) clients.pop_back();
    };
    io_.run_for(100ms);
    for (const Watched& client : clients) EXPECT_EQ(client.calls, 1);
}

TEST_F(PollerTest, SoonCallsOnceAndNotAtOnce) {
    Watched one(io_);
    one.soon();
    one.soon();
    EXPECT_EQ(one.turns, 0);
    io_.run_for(30ms);
    EXPECT_EQ(one.turns, 1);
}

/// Waits for quiet, and says so.
Task<void> wait_for_idle(Loop& io, std::function<void()> then) {
    IdleTurn idle(Poller::of(io));
    while (!idle.over()) co_await idle.wait();
    then();
}
void when_idle(Loop& io, std::function<void()> then) {
    io.spawn(wait_for_idle(io, std::move(then)));
}

TEST_F(PollerTest, IdleTasksComeAfterWhatIsReady) {
    Watched first(io_);
    Watched second(io_);
    Watched third(io_);
    io_.run_for(30ms);
    std::string order;
    first.when_ready = [&] {
        order += '1';
        third.say("of the same turn");
        when_idle(io_, [&] { order += 'q'; });
    };
    second.when_ready = [&] { order += '2'; };
    third.when_ready = [&] { order += '3'; };
    first.say("x");
    second.say("y");
    io_.run_for(30ms);
    EXPECT_EQ(order, "123q");
}

TEST_F(PollerTest, EventsGoBeforeMostOfManyIdleTasks) {
    Watched one(io_);
    io_.run_for(30ms);
    std::string order;
    one.when_ready = [&] {
        order += '1';
        if (order.size() > 1) return;
        for (int i = 0; i < 12; ++i)
            when_idle(io_, [&] {
                order += 'q';
                if (order.size() == 3) one.say("meanwhile");
            });
    };
    one.say("x");
    io_.run_for(30ms);
    EXPECT_EQ(order, "1qqqq1qqqqqqqq");
}

TEST_F(PollerTest, AChainOfIdleTasksHoldsUpNobodyElse) {
    Watched one(io_);
    io_.run_for(30ms);
    int ended = 0;
    int ended_before_other = -1;
    std::function<void()> next = [&] {
        if (++ended < 1000) when_idle(io_, next);
    };
    one.when_ready = [&] {
        when_idle(io_, next);
        io_.post([&] { ended_before_other = ended; });
    };
    one.say("x");
    io_.run_for(200ms);
    EXPECT_EQ(ended, 1000);
    EXPECT_GE(ended_before_other, 0);
    EXPECT_LE(ended_before_other, 64);
}

TEST_F(PollerTest, IdleTasksRunHoweverBusyTheSocketsAre) {
    Watched busy(io_);
    io_.run_for(30ms);
    int calls = 0;
    int calls_before_idle = 0;
    busy.when_ready = [&] {
        if (++calls < 100) busy.say("more");
        if (calls == 1) when_idle(io_, [&] { calls_before_idle = calls; });
    };
    busy.say("x");
    io_.run_for(200ms);
    EXPECT_EQ(calls, 100);
    EXPECT_GE(calls_before_idle, 1);
    EXPECT_LE(calls_before_idle, 10);
}

TEST_F(PollerTest, IsIdleWhenAllIsTold) {
    Watched one(io_);
    io_.run_for(30ms);
    std::string order;
    Poller::of(io_).before_wait([&] { order += 'i'; });
    one.when_ready = [&] {
        order += '1';
        if (order.size() < 3) one.say("and more");
        when_idle(io_, [&] { order += 'q'; });
    };
    one.say("x");
    io_.run_for(30ms);
    EXPECT_TRUE(order.starts_with("111qqqi")) << order;
}

TEST_F(PollerTest, IdleTasksRunWhereNothingIsWatched) {
    int quiet = 0;
    when_idle(io_, [&] { ++quiet; });
    io_.run_for(30ms);
    EXPECT_EQ(quiet, 1);
}

TEST_F(PollerTest, TheLoopEndsWhenNobodyIsWatched) {
    {
        Watched one(io_);
        io_.run_for(10ms);
        EXPECT_FALSE(io_.stopped()) << "who is watched is work";
    }
    io_.run_for(10s);
    EXPECT_TRUE(io_.stopped());
    io_.restart();
    Watched another(io_);
    another.say("z");
    io_.run_for(30ms);
    EXPECT_EQ(another.calls, 1);
}

TEST(PollerDownTest, AnIdleTurnIsAbandonedWithItsLoop) {
    auto io = std::make_unique<Loop>();
    const auto held = std::make_shared<int>();
    io->post([&] {
        when_idle(*io, [held] { ++*held; });
        io->stop();
    });
    io->run();
    EXPECT_EQ(held.use_count(), 2) << "it waits";
    io.reset();
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(*held, 0);
}

}  // namespace
}  // namespace spillway
