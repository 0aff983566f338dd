#include "quota/redis_peers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "quota/redis_server.hpp"
#include "quota/redis_store.hpp"

namespace spillway::quota {
namespace {

/// A gateway that says it has sent what the test tells it to, and notes what it hears.
class Replica {
public:
    Replica(const config::RedisConfig& config, std::string id)
        : store_(config, std::move(id), quotas_, [](const std::string&) {}) {
        store_.start();
        store_.use(peers());
    }
    Replica(const Replica&) = delete;
    Replica& operator=(const Replica&) = delete;
    ~Replica() = default;

    Peers peers() {
        return {[this](Mono) {
                    const std::lock_guard lock(mutex_);
                    return std::vector{mine_};
                },
                [this](const PeerReport& news, Mono) {
                    const std::lock_guard lock(mutex_);
                    EXPECT_EQ(news.backend, mine_.backend);
                    EXPECT_EQ(news.deployment, mine_.deployment);
                    tokens_ += news.tokens;
                    requests_ += news.requests;
                    if (news.cooling > Duration::zero()) cooling_ = news.cooling;
                    reason_ = std::max(reason_, news.reason);
                }};
    }
    void renew() { store_.use(peers()); }
    void send(std::int64_t tokens) {
        const std::lock_guard lock(mutex_);
        mine_.tokens += tokens;
        mine_.requests += tokens > 0 ? 1 : -1;
    }
    void cool(Duration time, std::uint8_t reason) {
        const std::lock_guard lock(mutex_);
        mine_.cooling = time;
        mine_.reason = reason;
    }
    bool heard(std::int64_t tokens, std::int64_t requests) {
        const std::lock_guard lock(mutex_);
        return tokens_ == tokens && requests_ == requests;
    }
    std::pair<Duration, int> cooling() {
        const std::lock_guard lock(mutex_);
        return {cooling_, reason_};
    }
    /// At least one exchange has begun and ended since the call.
    void pass() {
        const auto before = store_.stats().rounds;
        EXPECT_TRUE(soon([&] { return store_.stats().rounds >= before + 3; }));
    }
    RedisStore& store() { return store_; }

private:
    std::mutex mutex_;
    PeerReport mine_{"one", "gpt-4o", 0, 0, {}, 0};
    std::int64_t tokens_ = 0;
    std::int64_t requests_ = 0;
    Duration cooling_{};
    std::uint8_t reason_ = 0;
    ClientQuotas quotas_;
    RedisStore store_;
};

TEST(RedisPeers, SumsOfOthersAreHeardOnce) {
    NEEDS_REDIS;
    const RedisServer server;
    Replica a(server.config(), "a");
    Replica b(server.config(), "b");
    a.pass();
    b.pass();
    a.send(100);
    a.send(50);
    EXPECT_TRUE(soon([&] { return b.heard(150, 2); }));
    a.send(-50);
    EXPECT_TRUE(soon([&] { return b.heard(100, 1); }));
    b.send(7);
    EXPECT_TRUE(soon([&] { return a.heard(7, 1); }));
    b.pass();
    EXPECT_TRUE(b.heard(100, 1));
}

TEST(RedisPeers, CoolDownsAreToldWithWhatIsLeftOfThem) {
    NEEDS_REDIS;
    const RedisServer server;
    Replica a(server.config(), "a");
    Replica b(server.config(), "b");
    a.cool(20s, 1);
    ASSERT_TRUE(soon([&] { return b.cooling().second == 1; }));
    EXPECT_GT(b.cooling().first, 15s);
    EXPECT_LE(b.cooling().first, 20s);
    EXPECT_EQ(a.cooling().second, 0);
}

TEST(RedisPeers, NewcomersAndNewBackendsDoNotCountTheOldSumsTwice) {
    NEEDS_REDIS;
    const RedisServer server;
    Replica a(server.config(), "a");
    Replica b(server.config(), "b");
    b.pass();
    a.send(1000);
    ASSERT_TRUE(soon([&] { return b.heard(1000, 1); }));
    Replica late(server.config(), "late");
    late.pass();
    EXPECT_TRUE(late.heard(0, 0));
    b.renew();  // after a reload: it has heard what it has heard
    b.pass();
    b.pass();
    EXPECT_TRUE(b.heard(1000, 1));
    a.send(5);
    EXPECT_TRUE(soon([&] { return b.heard(1005, 2); }));
    EXPECT_TRUE(soon([&] { return late.heard(5, 1); }));
}

TEST(RedisPeers, GoesOnAfterAnOutage) {
    NEEDS_REDIS;
    RedisServer server;
    Replica a(server.config(), "a");
    Replica b(server.config(), "b");
    a.pass();
    b.pass();
    server.stop();
    ASSERT_TRUE(soon([&] { return !a.store().stats().connected && !b.store().stats().connected; }));
    a.send(400);
    server.start();
    ASSERT_TRUE(soon([&] { return a.store().stats().connected && b.store().stats().connected; }));
    a.pass();
    b.pass();
    a.send(30);
    EXPECT_TRUE(soon([&] { return b.heard(30, 1) || b.heard(430, 2); }));
}

}  // namespace
}  // namespace spillway::quota
