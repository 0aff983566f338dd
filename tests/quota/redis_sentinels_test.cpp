// Against Debian's redis-server, as a primary, its replica and a sentinel.
#include "quota/redis_sentinels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "quota/redis_server.hpp"
#include "quota/redis_store.hpp"

namespace spillway::quota {
namespace {

/// Watches a primary; written to a file of its own, which Redis changes.
class Sentinel {
public:
    explicit Sentinel(std::uint16_t primary, const std::string& password = "")
        : file_(std::filesystem::path(testing::TempDir()) /
                ("sentinel-" + std::to_string(primary) + ".conf")) {
        std::ofstream(file_) << "sentinel monitor shared 127.0.0.1 " << primary << " 1\n"
                             << "sentinel down-after-milliseconds shared 300\n"
                             << "sentinel failover-timeout shared 2000\n"
                             << (password.empty() ? "" : "requirepass " + password + "\n");
        server_.emplace(std::vector<std::string>{}, file_.string());
    }
    ~Sentinel() {
        server_.reset();
        std::filesystem::remove(file_);
    }
    Sentinel(const Sentinel&) = delete;
    Sentinel& operator=(const Sentinel&) = delete;
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

private:
    std::filesystem::path file_;
    std::optional<RedisServer> server_;
};

config::RedisConfig with_sentinels(std::vector<std::string> sentinels) {
    config::RedisConfig c;
    c.host = "shared";
    c.interval = 10ms;
    c.timeout = 300ms;
    c.sentinels = std::move(sentinels);
    return c;
}

struct Gateway {
    explicit Gateway(const config::RedisConfig& config)
        : app(quotas.find_or_add(SubjectKind::client, "app", {.tokens_per_minute = 1000})),
          store(config, "a", quotas, [this](const std::string& line) {
              const std::lock_guard lock(mutex);
              lines.push_back(line);
          }) {
        store.start();
    }
    std::vector<std::string> log() {
        const std::lock_guard lock(mutex);
        return lines;
    }
    ClientQuotas quotas;
    Subject& app;
    std::mutex mutex;
    std::vector<std::string> lines;
    RedisStore store;
};

TEST(RedisSentinels, TheNewPrimaryIsFoundWhenTheOldOneDies) {
    NEEDS_REDIS;
    RedisServer primary;
    const RedisServer replica({"--replicaof", "127.0.0.1", std::to_string(primary.port())});
    const Sentinel sentinel(primary.port());
    // A sentinel that is away is passed over.
    Gateway gateway(with_sentinels({"127.0.0.1:1", sentinel.address()}));
    ASSERT_TRUE(soon([&] { return gateway.store.stats().connected; }));
    std::this_thread::sleep_for(1500ms);  // until the sentinel knows the replica
    primary.stop();
    ASSERT_TRUE(soon([&] { return !gateway.store.stats().connected; }));
    EXPECT_TRUE(soon([&] { return gateway.store.stats().connected; }, 20s));
    EXPECT_TRUE(gateway.app.tokens().shared());
}

TEST(RedisSentinels, OnesWithAPasswordAreShownIt) {
    NEEDS_REDIS;
    const RedisServer primary;
    const Sentinel sentinel(primary.port(), "of-the-sentinels");
    auto config = with_sentinels({sentinel.address()});
    {
        Gateway without(config);
        EXPECT_TRUE(soon([&] { return without.store.stats().failures > 0; }));
        EXPECT_THAT(without.log(),
                    testing::Contains(testing::HasSubstr("sentinel " + sentinel.address() + ": NOAUTH")));
    }
    config.sentinel_password = config::Secret("of-the-sentinels");
    Gateway with(config);
    EXPECT_TRUE(soon([&] { return with.store.stats().connected; }));
}

TEST(RedisSentinels, AnUnknownNameIsSaid) {
    NEEDS_REDIS;
    const RedisServer primary;
    const Sentinel sentinel(primary.port());
    auto config = with_sentinels({sentinel.address()});
    config.host = "other";
    Gateway gateway(config);
    EXPECT_TRUE(soon([&] { return gateway.store.stats().failures > 0; }));
    EXPECT_THAT(gateway.log(), testing::Contains(testing::HasSubstr("knows no primary named other")));
}

}  // namespace
}  // namespace spillway::quota
