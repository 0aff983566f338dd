// Against Debian's redis-server, started here: what a script does on a real server is what matters.
#include "quota/redis_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "quota/redis_server.hpp"

namespace spillway::quota {
namespace {

/// One gateway's part.
struct Replica {
    explicit Replica(const config::RedisConfig& config, std::string id,
                     SubjectLimits limits = {1000, 10'000, 10}, Amounts used_this_month = {})
        : app(quotas.find_or_add(SubjectKind::client, "app", limits)),
          store(config, std::move(id), quotas, [this](const std::string& line) {
              const std::lock_guard lock(mutex);
              lines.push_back(line);
          }) {
        // As the gateway does: the ledger is read before anything is told to other replicas.
        app.restore(Period::month, used_this_month, read_clocks());
        store.start();
    }
    bool take(std::int64_t tokens) {
        Refusal why;
        auto grant = quotas.admit({&app}, {tokens, 0}, read_clocks(), why);
        if (!grant) return false;
        grant->settle({tokens, 0}, read_clocks());
        return true;
    }
    ClientQuotas quotas;
    Subject& app;
    std::mutex mutex;
    std::vector<std::string> lines;
    RedisStore store;
};

TEST(RedisStore, TwoReplicasHoldOneLimit) {
    NEEDS_REDIS;
    const RedisServer server;
    Replica a(server.config(), "a");
    Replica b(server.config(), "b");
    ASSERT_TRUE(soon([&] { return a.store.stats().replicas == 2 && b.store.stats().replicas == 2; }));
    EXPECT_TRUE(a.store.stats().connected);
    std::int64_t admitted = 0;
    const Mono end = mono_now() + 1s;
    while (mono_now() < end) {
        for (Replica* replica : {&a, &b})
            if (replica->take(10)) admitted += 10;
        std::this_thread::sleep_for(500us);
    }
    EXPECT_LE(admitted, 1000);
    EXPECT_GE(admitted, 980);
    EXPECT_TRUE(soon([&] { return b.app.tokens().used_everywhere(read_clocks()) == admitted; }));
}

TEST(RedisStore, WithoutTheServerEachHoldsItsPartAndReconcilesAfter) {
    NEEDS_REDIS;
    RedisServer server;
    Replica a(server.config(), "a");
    Replica b(server.config(), "b");
    ASSERT_TRUE(soon([&] { return a.store.stats().replicas == 2 && b.store.stats().replicas == 2; }));
    ASSERT_TRUE(a.take(100));
    server.stop();
    ASSERT_TRUE(soon([&] { return !a.store.stats().connected && !b.store.stats().connected; }));
    EXPECT_FALSE(a.app.tokens().shared());
    EXPECT_FALSE(a.take(401));
    EXPECT_TRUE(a.take(400));
    EXPECT_TRUE(b.take(500));
    EXPECT_FALSE(b.take(1));
    EXPECT_GT(a.store.stats().failures, 0U);
    Subject& later = a.quotas.find_or_add(SubjectKind::user, "new", {.tokens_per_minute = 100});
    EXPECT_EQ(later.tokens().own_cap(), 50);
    server.start();
    ASSERT_TRUE(soon([&] { return a.app.tokens().shared() && b.app.tokens().shared(); }));
    EXPECT_TRUE(soon([&] { return a.app.tokens().used_everywhere(read_clocks()) == 1000; }));
    EXPECT_FALSE(a.take(1));
    const std::lock_guard lock(a.mutex);
    EXPECT_THAT(a.lines, testing::Contains(testing::HasSubstr("held at 1/2")));
}

TEST(RedisStore, TheRestOfALimitIsNotKeptFromTheBusyReplica) {
    NEEDS_REDIS;
    const RedisServer server;
    Replica busy(server.config(), "busy", {.requests_per_minute = 100});
    Replica idle(server.config(), "idle", {.requests_per_minute = 100});
    ASSERT_TRUE(soon([&] { return busy.store.stats().replicas == 2; }));
    int admitted = 0;
    EXPECT_TRUE(soon([&] {
        admitted += busy.take(1) ? 1 : 0;
        return admitted == 100;
    })) << admitted;
    EXPECT_FALSE(idle.take(1));
}

TEST(RedisStore, AReplicaThatComesBackUnderItsIdIsNotCountedTwice) {
    NEEDS_REDIS;
    const RedisServer server;
    const SubjectLimits limits{.tokens = {0, 0, 0, 1000}};
    Replica other(server.config(), "other", limits);
    {
        Replica first(server.config(), "same", limits);
        ASSERT_TRUE(first.take(300));
        ASSERT_TRUE(soon(
            [&] { return other.app.token_limit(Period::month)->used_everywhere(read_clocks()) == 300; }));
    }
    const Replica second(server.config(), "same", limits, {300, 0});
    const auto used = [&] { return other.app.token_limit(Period::month)->used_everywhere(read_clocks()); };
    EXPECT_TRUE(soon([&] { return used() == 300; }));
    const auto rounds = other.store.stats().rounds;
    ASSERT_TRUE(soon([&] { return other.store.stats().rounds > rounds + 5; }));
    EXPECT_EQ(used(), 300);
}

TEST(RedisStore, AuthenticatesAndSelects) {
    NEEDS_REDIS;
    const RedisServer server({"--requirepass", "Zx9-secret"});
    auto config = server.config();
    config.database = 3;
    Replica without(config, "w");
    EXPECT_FALSE(without.store.stats().connected);
    config.password = config::Secret("Zx9-wrong");
    Replica wrong(config, "x");
    EXPECT_FALSE(wrong.store.stats().connected);
    config.password = config::Secret("Zx9-secret");
    const Replica right(config, "r");
    EXPECT_TRUE(right.store.stats().connected);
    config.username = "default";
    const Replica named(config, "n");
    EXPECT_TRUE(named.store.stats().connected);
    for (Replica* replica : {&without, &wrong}) {
        const std::lock_guard lock(replica->mutex);
        for (const auto& line : replica->lines) EXPECT_EQ(line.find("Zx9"), std::string::npos) << line;
    }
}

TEST(RedisStore, SpeaksTls) {
    NEEDS_REDIS;
    std::string folder = testing::TempDir() + "spillway-redis-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::string cert = folder + "/cert.pem";
    const std::string key = folder + "/key.pem";
    ASSERT_EQ(std::system(
                  ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
                   "/CN=localhost -addext subjectAltName=DNS:localhost -keyout " +
                   key + " -out " + cert + " 2>/dev/null")
                      .c_str()),
              0);
    const RedisServer server({"--tls-port", "--tls-cert-file", cert, "--tls-key-file", key,
                              "--tls-ca-cert-file", cert, "--tls-auth-clients", "no"});
    auto config = server.config();
    config.tls = true;
    config.host = "localhost";
    config.ca_file = cert;
    EXPECT_TRUE(Replica(config, "trusts").store.stats().connected);
    config.ca_file.clear();
    EXPECT_FALSE(Replica(config, "does not").store.stats().connected);
    config.verify = false;
    EXPECT_TRUE(Replica(config, "does not care").store.stats().connected);
    std::filesystem::remove_all(folder);
}

TEST(RedisStore, AServerThatIsNotThereIsNoError) {
    config::RedisConfig config;
    config.host = "127.0.0.1";
    config.port = free_port();
    config.replicas = 4;
    config.timeout = 100ms;
    Replica alone(config, "a");
    EXPECT_FALSE(alone.store.stats().connected);
    EXPECT_TRUE(alone.take(250));
    EXPECT_FALSE(alone.take(1));
}

TEST(RedisStore, AServerThatSpeaksOtherwiseIsCutOff) {
    const test::BlockingListener listener;
    std::thread peer([&] {
        const test::BlockingSocket socket = listener.accept();
        socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
        (void)socket.read_all();
    });
    config::RedisConfig config;
    config.host = "127.0.0.1";
    config.port = listener.port();
    config.timeout = 200ms;
    {
        Replica replica(config, "a");
        EXPECT_TRUE(soon([&] { return replica.store.stats().failures > 0; }));
        EXPECT_FALSE(replica.store.stats().connected);
    }
    peer.join();
}

}  // namespace
}  // namespace spillway::quota
