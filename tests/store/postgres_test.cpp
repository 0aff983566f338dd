// What only a store behind a network does: it goes away, comes back, hangs, and is shared.
#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <thread>

#include "store/both_stores.hpp"
#include "store/object_directory.hpp"
#include "store/postgres_keys.hpp"
#include "store/postgres_objects.hpp"

namespace spillway::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Postgres : public ::testing::Test {
protected:
    void SetUp() override {
        NEEDS_POSTGRES;
        cluster().clear();
    }
    static PostgresCluster& cluster() { return PostgresCluster::shared(); }
    static config::Secret url(const std::string& parameters = {}) {
        return config::Secret(cluster().url(parameters));
    }
    static std::unique_ptr<KeyStore> keys() {
        auto opened = postgres_keys(url())(false);
        EXPECT_TRUE(opened) << opened.error().message;
        return opened ? std::move(*opened) : nullptr;
    }
    static KeyRow key(const std::string& id) {
        KeyRow out;
        out.id = id;
        out.made = Wall(std::chrono::seconds(1'790'000'000));
        return out;
    }
    /// Until it works again: a server that could not be reached is left alone for a moment.
    template <class Ask>
    static bool soon(Ask ask) {
        for (int i = 0; i < 300; ++i) {
            if (ask()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }
};

TEST_F(Postgres, ReplicasThatStartTogetherMakeTheTablesOnce) {
    std::array<Mac, 8> secrets{};
    std::vector<std::thread> threads;
    for (Mac& secret : secrets)
        threads.emplace_back([&secret] {
            if (const auto store = keys()) secret = store->secret().value();
        });
    for (auto& thread : threads) thread.join();
    EXPECT_NE(secrets[0], Mac{});
    EXPECT_EQ(std::set(secrets.begin(), secrets.end()).size(), 1U);
    EXPECT_EQ(cluster().ask("SELECT count(*) FROM spillway_schema").number(0, 0), 1);
}

TEST_F(Postgres, RefusesTablesOfANewerProgram) {
    ASSERT_TRUE(keys());
    static_cast<void>(cluster().ask("UPDATE spillway_schema SET version = 99"));
    const auto opened = postgres_keys(url())(true);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr("newer program's (schema 99"));
}

TEST_F(Postgres, ComesBackAndNeverSaysThePassword) {
    const auto store = keys();
    ASSERT_TRUE(store->put({key("key_1")}));
    cluster().stop();
    const auto away = store->version();
    ASSERT_FALSE(away);
    EXPECT_THAT(away.error().message, Not(HasSubstr(PostgresCluster::kPassword)));
    EXPECT_FALSE(store->put({key("key_2")}));
    EXPECT_FALSE(postgres_objects(url())(false));
    cluster().start();
    EXPECT_TRUE(soon([&] { return store->put({key("key_3")}).has_value(); }));
    EXPECT_EQ(store->changed_since(-1)->size(), 2U);
    EXPECT_EQ(store->version().value(), 2);
}

TEST_F(Postgres, AServerThatHasRestartedMeanwhileIsNotNoticed) {
    const auto store = keys();
    cluster().stop();
    cluster().start();
    EXPECT_TRUE(store->put({key("key_1")}));
}

TEST_F(Postgres, ADirectoryStartsWithoutItAndLearnsLater) {
    ASSERT_TRUE(keys());
    cluster().stop();
    std::vector<std::string> said;
    ObjectDirectory directory(64);
    ASSERT_TRUE(directory.persist(postgres_objects(url()), ObjectDirectory::Absent::tried_again,
                                  [&](const std::string& line) { said.push_back(line); }));
    ASSERT_EQ(said.size(), 1U);
    EXPECT_THAT(said[0], HasSubstr("refused"));
    EXPECT_THAT(said[0], Not(HasSubstr(PostgresCluster::kPassword)));
    auto writer = directory.make_writer();
    writer.made("file-1", directory.resource("r"), {"a", {}, hash_owner("a", {})}, std::nullopt);
    directory.sync();
    EXPECT_EQ(directory.stats().written, 0U);
    cluster().start();
    EXPECT_TRUE(soon([&] { return directory.stats().written == 1; })) << "what waited is written";
}

TEST_F(Postgres, AFrozenServerIsGivenUpInTime) {
    PostgresConnection connection(std::make_shared<PostgresServer>(url()));
    const auto asked = connection.ask("SELECT pg_backend_pid()::bigint");
    ASSERT_TRUE(asked);
    const auto frozen = static_cast<pid_t>(asked->number(0, 0));
    ASSERT_EQ(::kill(frozen, SIGSTOP), 0);
    const Mono began = mono_now();
    const auto silent = connection.ask("SELECT 1::bigint");
    EXPECT_FALSE(silent);
    EXPECT_LT(mono_now() - began, std::chrono::seconds(5));
    const auto again = connection.ask("SELECT 7::bigint");
    ::kill(frozen, SIGCONT);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->number(0, 0), 7);
}

TEST_F(Postgres, AStatementThatTakesTooLongIsCancelled) {
    PostgresConnection connection(std::make_shared<PostgresServer>(url()));
    const auto slow = connection.ask("SELECT pg_sleep(30)");
    ASSERT_FALSE(slow);
    EXPECT_THAT(slow.error().message, HasSubstr("statement timeout"));
    EXPECT_TRUE(connection.ask("SELECT 1::bigint"));
}

TEST_F(Postgres, ADatabaseThatMayOnlyBeReadIsRead) {
    ASSERT_TRUE(keys()->put({key("key_1")}));
    auto opened = postgres_keys(url("?options=-cdefault_transaction_read_only%3Don"))(true);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ((*opened)->changed_since(-1)->size(), 1U);
    const auto refused = (*opened)->put({key("key_2")});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("read-only"));
    EXPECT_TRUE((*opened)->version());
}

TEST_F(Postgres, ANameThatNoIndexTakesHoldsNothingElseUp) {
    auto store = postgres_objects(url())(true).value();
    const std::string longest(100'000, 'x');
    using What = ObjectChange::What;
    const std::vector<ObjectChange> changes{
        {.what = What::made, .id = "file-1", .resource = "r", .client = "a", .team = longest, .expires = {}},
        {.what = What::place, .id = {}, .resource = "r", .client = longest, .team = {}, .expires = {}},
        {.what = What::made, .id = "file-2", .resource = "r", .client = "a", .team = {}, .expires = {}}};
    const auto written = store->write(changes);
    ASSERT_TRUE(written) << written.error().message;
    const auto found = store->find(std::vector<std::string>{"file-1", "file-2"}).value();
    EXPECT_FALSE(found[0]);
    EXPECT_TRUE(found[1]);
}

TEST(PostgresUrl, IsShownWithoutUserAndPassword) {
    const auto name = [](const char* url) { return PostgresServer(config::Secret(url)).name(); };
    EXPECT_EQ(name("postgresql://u:p%40ss@db.example:6432/spillway?sslmode=verify-full"),
              "postgresql://db.example:6432/spillway");
    EXPECT_EQ(name("postgres://u:pass@db.example"), "postgresql://db.example/");
    PostgresServer odd(config::Secret("postgresql://u:pa ss@h:port/x?nonsense"));
    const auto refused = odd.connect();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("cannot be read"));
    EXPECT_THAT(refused.error().message, Not(HasSubstr("pa ss")));
    EXPECT_EQ(PostgresServer(config::Secret("postgresql://u:p4ss@h/x")).clean("no\n\tp4ss here \n"),
              "no *** here");
}

}  // namespace
}  // namespace spillway::store
