#include "gateway/key_keeper.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "api/json_reader.hpp"
#include "gateway/key_calls.hpp"
#include "store/sqlite_keys.hpp"

namespace spillway::gateway {
namespace {

class Keys : public ::testing::Test {
protected:
    Keys()
        : folder_(std::filesystem::temp_directory_path() / ("spillway-keys-" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(folder_);
        start();
    }
    ~Keys() override {
        keeper_.reset();
        std::filesystem::remove_all(folder_);
    }

    void start() {
        keeper_.reset();
        keeper_ = make(ring_);
    }
    std::unique_ptr<KeyKeeper> make(std::shared_ptr<const KeyRing>& ring) {
        auto keeper = std::make_unique<KeyKeeper>(
            store::sqlite_keys((folder_ / "store.db").string()), quotas_,
            [this, &ring](const auto& fresh) {
                const std::lock_guard lock(mutex_);
                ring = fresh;
                return std::future<void>();
            },
            [](const std::string&) {});
        const auto read = keeper->read_first();
        EXPECT_TRUE(read) << read.error().message;
        keeper->start();
        return keeper;
    }
    KeyAnswer call(std::string_view method, std::string_view path, std::string_view body = "") {
        return call_keys(*keeper_, method, path, "", body, now_);
    }
    static std::string text(const std::string& json, std::string_view member) {
        const std::string before = "\"" + std::string(member) + "\":\"";
        const auto at = json.find(before);
        if (at == std::string::npos) return {};
        return json.substr(at + before.size(), json.find('"', at + before.size()) - at - before.size());
    }
    const KeyClient* find(const std::string& key, Duration later = {}) {
        const std::lock_guard lock(mutex_);
        if (!ring_) return nullptr;
        held_ = ring_;
        return ring_->find({key, hasher_(key)}, now_ + std::chrono::duration_cast<Wall::duration>(later));
    }

    std::filesystem::path folder_;
    quota::ClientQuotas quotas_;
    identity::KeyHasher hasher_;
    std::mutex mutex_;
    std::shared_ptr<const KeyRing> ring_;
    std::shared_ptr<const KeyRing> held_;
    std::unique_ptr<KeyKeeper> keeper_;
    Wall now_ = wall_now();
};

TEST_F(Keys, AreMadeWhenTheWorkersUseThem) {
    std::atomic<bool> used{false};
    std::atomic<bool> slow{false};
    KeyKeeper keeper(
        store::sqlite_keys((folder_ / "store.db").string()), quotas_,
        [&](const auto&) {
            return std::async(std::launch::async, [&] {
                if (!slow) return;
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
                used = true;
            });
        },
        [](const std::string&) {});
    ASSERT_TRUE(keeper.read_first());
    keeper.start();
    slow = true;
    ASSERT_EQ(call_keys(keeper, "POST", "", "", R"({"client":"app"})", now_).status, 201U);
    EXPECT_TRUE(used);
}

TEST_F(Keys, AreNotMadeToBeOver) {
    EXPECT_EQ(call("POST", "", R"({"client":"app","expires":"2020-01-01"})").status, 400U);
}

TEST_F(Keys, AreMadeUsedRotatedAndRevoked) {
    const KeyAnswer made = call("POST", "",
                                R"({"client":"app","team":"red","name":"ci","deployments":["b","a"],)"
                                R"("limits":{"tokens_per_minute":100,"budget":{"month":2.5}}})");
    ASSERT_EQ(made.status, 201U) << made.body;
    const std::string id = text(made.body, "id");
    const std::string key = text(made.body, "key");
    EXPECT_TRUE(identity::is_made_key(key)) << made.body;
    const KeyClient* client = find(key);
    ASSERT_NE(client, nullptr);
    EXPECT_EQ(client->account->name(), "app");
    EXPECT_EQ(client->made().own_rules->team, "red");
    EXPECT_EQ(client->made().own_rules->deployments, (std::vector<std::string>{"a", "b"}));
    ASSERT_TRUE(client->limits);
    EXPECT_EQ(client->limits->name(), id);
    EXPECT_FALSE(find(key + "x"));

    const KeyAnswer rotated = call("POST", "/" + id + "/rotate", R"({"overlap":"1h"})");
    ASSERT_EQ(rotated.status, 200U) << rotated.body;
    EXPECT_TRUE(rotated.before.starts_with("active ")) << rotated.before;
    EXPECT_NE(rotated.after.find("the old one ends "), std::string::npos) << rotated.after;
    const std::string fresh = text(rotated.body, "key");
    EXPECT_NE(fresh, key);
    EXPECT_TRUE(find(fresh));
    EXPECT_TRUE(find(key, std::chrono::minutes(59)));
    EXPECT_FALSE(find(key, std::chrono::minutes(61))) << "the old one has ended";
    EXPECT_TRUE(find(fresh, std::chrono::hours(1000)));

    EXPECT_EQ(call("GET", "/" + id).body.find(fresh), std::string::npos) << "shown once";
    const KeyAnswer revoked = call("DELETE", "/" + id);
    EXPECT_EQ(text(revoked.body, "state"), "revoked");
    EXPECT_FALSE(find(fresh));
    EXPECT_EQ(call("POST", "/" + id + "/rotate").status, 409U);
}

TEST_F(Keys, AreKnownAsTheSameWhenOthersAreMade) {
    const KeyAnswer made = call("POST", "", R"({"client":"app"})");
    const std::string key = text(made.body, "key");
    ASSERT_TRUE(find(key));
    const void* const before = identity_of(*find(key));
    const auto* const ring = held_.get();
    const KeyAnswer other = call("POST", "", R"({"client":"app"})");
    ASSERT_TRUE(find(text(other.body, "key")));
    EXPECT_NE(held_.get(), ring);
    EXPECT_EQ(identity_of(*find(key)), before);
    EXPECT_NE(identity_of(*find(text(other.body, "key"))), before);
}

TEST_F(Keys, AreFoundByAllThreadsWhileOthersAreMade) {
    const auto made = [this] { return text(call("POST", "", R"({"client":"app"})").body, "key"); };
    const std::vector<std::string> keys{made(), made(), made(), made()};
    std::atomic<bool> over{false};
    std::atomic<int> missed{0};
    std::atomic<std::uint64_t> found{0};
    const auto look = [&] {
        identity::KeyHasher hasher;
        while (!over) {
            std::shared_ptr<const KeyRing> ring;
            {
                const std::lock_guard lock(mutex_);
                ring = ring_;
            }
            for (const std::string& key : keys) {
                const KeyClient* const client = ring->find({key, hasher(key)}, now_);
                if (client == nullptr || client->account->name() != "app" || key_id(*client).empty())
                    ++missed;
                else
                    ++found;
            }
        }
    };
    std::thread one(look);
    std::thread other(look);
    for (int i = 0; i < 10; ++i) {
        const std::string fresh = made();
        EXPECT_TRUE(find(fresh));
    }
    over = true;
    one.join();
    other.join();
    EXPECT_EQ(missed, 0);
    EXPECT_GT(found, 0U);
}

TEST_F(Keys, EndAndChange) {
    const KeyAnswer made = call("POST", "", R"({"client":"app","expires_in":"2h"})");
    const std::string id = text(made.body, "id");
    const std::string key = text(made.body, "key");
    EXPECT_TRUE(find(key, std::chrono::minutes(119)));
    EXPECT_FALSE(find(key, std::chrono::minutes(121)));
    ASSERT_EQ(call("PATCH", "/" + id, R"({"expires":"never","deployments":["gpt-4o"]})").status, 200U);
    ASSERT_TRUE(find(key, std::chrono::hours(1000)));
    EXPECT_EQ(find(key)->made().own_rules->deployments, std::vector<std::string>{"gpt-4o"});
    ASSERT_EQ(call("PATCH", "/" + id, R"({"note":"n"})").status, 200U);
    EXPECT_EQ(find(key)->made().own_rules->deployments, std::vector<std::string>{"gpt-4o"})
        << "what is not named stays";
    EXPECT_EQ(find(key)->limits, nullptr);
    for (const int limit : {70, 80}) {
        ASSERT_EQ(
            call("PATCH", "/" + id, R"({"limits":{"requests_per_minute":)" + std::to_string(limit) + "}}")
                .status,
            200U);
        EXPECT_EQ(find(key)->limits->requests().limit(), limit) << "of a key in use, too";
    }
    ASSERT_EQ(call("PATCH", "/" + id, R"({"limits":null})").status, 200U);
    EXPECT_EQ(find(key)->limits, nullptr);
    EXPECT_EQ(call("PATCH", "/" + id, R"({"client":"other"})").status, 400U);
    EXPECT_EQ(call("PATCH", "/key_none", "{}").status, 404U);
}

TEST_F(Keys, OutliveARestart) {
    const std::string key = text(call("POST", "", R"({"client":"app"})").body, "key");
    ring_.reset();
    start();
    EXPECT_TRUE(find(key));
}

TEST_F(Keys, ReachAnotherReplica) {
    std::shared_ptr<const KeyRing> others;
    const auto other = make(others);
    const KeyAnswer made = call("POST", "", R"({"client":"app"})");
    const std::string key = text(made.body, "key");
    const auto knows = [&] {
        const std::lock_guard lock(mutex_);
        return others && others->find({key, hasher_(key)}, now_) != nullptr;
    };
    const auto within = [&](bool wanted) {
        for (int i = 0; i < 100 && knows() != wanted; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return knows() == wanted;
    };
    EXPECT_TRUE(within(true)) << "within a second";
    ASSERT_EQ(call("DELETE", "/" + text(made.body, "id")).status, 200U);
    EXPECT_TRUE(within(false)) << "within a second";
}

/// What operators tell backends to be lies beside them.
TEST_F(Keys, TellOfModesThatHaveChanged) {
    std::vector<std::string> seen;
    std::atomic<int> rings{0};
    const auto watch = [&] {
        return std::make_unique<KeyKeeper>(
            store::sqlite_keys((folder_ / "store.db").string()), quotas_,
            [&](const auto&) {
                ++rings;
                return std::future<void>();
            },
            [](const std::string&) {},
            [&](const std::vector<store::ModeRow>& rows) {
                const std::lock_guard lock(mutex_);
                for (const store::ModeRow& row : rows) seen.push_back(row.backend + " " + row.mode);
            });
    };
    const auto told = [&](const std::string& last) {
        const std::lock_guard lock(mutex_);
        return !seen.empty() && seen.back() == last;
    };
    auto other = watch();
    ASSERT_TRUE(other->read_first());
    other->start();
    ASSERT_TRUE(keeper_->put_mode({"one", "draining", "ada", now_}));
    for (int i = 0; i < 100 && !told("one draining"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(told("one draining")) << "within a second";
    EXPECT_EQ(rings, 0) << "no key has changed";
    ASSERT_TRUE(other->put_mode({"two", "off", "ada", now_}));
    EXPECT_TRUE(told("two off")) << "its own when it returns";
    ASSERT_EQ(call("POST", "", R"({"client":"app"})").status, 201U);
    other.reset();
    EXPECT_EQ(seen.size(), 2U) << "each once";

    seen.clear();
    rings = 0;
    other = watch();
    ASSERT_TRUE(other->read_first());
    EXPECT_EQ(seen.size(), 2U) << "after a restart";
    EXPECT_EQ(rings, 1);
}

TEST_F(Keys, AreImported) {
    // printf %s old-key-000002 | sha256sum
    const KeyAnswer done =
        call("POST", "/import",
             R"({"keys":[{"client":"a","key":"old-key-000001"},{"client":"b","key_sha256":)"
             R"("b16b3822412ee1b542e98275537c64d54e592e7144a076e8f0701083125348fa"}]})");
    ASSERT_EQ(done.status, 201U) << done.body;
    ASSERT_TRUE(find("old-key-000001"));
    EXPECT_EQ(find("old-key-000001")->account->name(), "a");
    ASSERT_TRUE(find("old-key-000002"));
    EXPECT_EQ(find("old-key-000002")->account->name(), "b");
    EXPECT_EQ(find("abc"), nullptr);
    EXPECT_EQ(call("POST", "/import", R"({"keys":[{"client":"c","key":"old-key-000001"}]})").status, 409U)
        << "is another's";
    EXPECT_EQ(call("POST", "/import", R"({"keys":[{"client":"c"}]})").status, 400U);
}

TEST_F(Keys, FaultsAreToldInWords) {
    const KeyAnswer typo = call("POST", "", R"({"client":"app","limits":{"token_per_minute":1}})");
    EXPECT_EQ(typo.status, 400U);
    EXPECT_NE(typo.body.find("tokens_per_minute"), std::string::npos) << typo.body;
    EXPECT_NE(typo.body.find(R"("problems":[{"param":"limits.token_per_minute","message":")"),
              std::string::npos)
        << typo.body;
    const KeyAnswer nobody = call("POST", "", "{}");
    EXPECT_EQ(nobody.status, 400U);
    EXPECT_NE(nobody.body.find(R"("problems":[{"param":"client","message":")"), std::string::npos);
    const KeyAnswer third = call(
        "POST", "/import", R"({"keys":[{"client":"a","key":"old-key-000009"},{"client":"a b","key":"x"}]})");
    EXPECT_NE(third.body.find(R"("param":"keys[1].client")"), std::string::npos) << third.body;
    EXPECT_EQ(call("POST", "", "nonsense").status, 400U);
    EXPECT_EQ(call("POST", "", R"({"client":"a","key_file":"/etc/passwd"})").status, 400U);
    EXPECT_EQ(call("PUT", "").status, 405U);
}

TEST_F(Keys, AStoreThatIsAwayStopsNoKey) {
    const std::string key = text(call("POST", "", R"({"client":"app"})").body, "key");
    std::filesystem::remove_all(folder_);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    EXPECT_TRUE(find(key));
}

TEST_F(Keys, AStoreThatIsAwayAtTheStartMayHoldSome) {
    std::atomic<bool> away{true};
    const store::OpenKeys there = store::sqlite_keys((folder_ / "other" / "store.db").string());
    std::shared_ptr<const KeyRing> ring;
    KeyKeeper keeper(
        [&](bool) -> Result<std::unique_ptr<store::KeyStore>> {
            if (away) return fail("away");
            return there(true);
        },
        quotas_,
        [&](const auto& fresh) {
            const std::lock_guard lock(mutex_);
            ring = fresh;
            return std::future<void>();
        },
        [](const std::string&) {});
    ASSERT_FALSE(keeper.read_first());
    keeper.go_on_unread();
    const auto asks_for_keys = [&] {
        const std::lock_guard lock(mutex_);
        return ring && ring->any_made();
    };
    EXPECT_TRUE(asks_for_keys());
    keeper.start();
    away = false;
    for (int i = 0; i < 100 && asks_for_keys(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_FALSE(asks_for_keys()) << "there were none";
}

}  // namespace
}  // namespace spillway::gateway
