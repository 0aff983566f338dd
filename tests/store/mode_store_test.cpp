// What operators told backends to be, kept beside the keys.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "store/both_stores.hpp"
#include "telemetry/sqlite.hpp"

namespace spillway::store {
namespace {

using ::testing::HasSubstr;

class ModeStores : public BothStores {
protected:
    static ModeRow mode(const std::string& backend, const std::string& mode) {
        return {backend, mode, "ad\xc3\x89 \xff", kNow};
    }
    static KeyRow key(const std::string& id) {
        KeyRow out;
        out.id = id;
        out.settings = R"({"client":"app"})";
        out.made = kNow;
        return out;
    }
    [[nodiscard]] bool on_sqlite() const { return named_.url.empty(); }

    /// As a program left it that knew keys and no modes.
    void make_older() const {
        ASSERT_TRUE(keys()->put({key("key_1")}));
        if (on_sqlite()) {
            const auto db = telemetry::open_database(named_.path, SQLITE_OPEN_READWRITE).value();
            ASSERT_TRUE(telemetry::execute(db.get(), "DROP TABLE backend_modes; PRAGMA user_version = 2"));
            return;
        }
        static_cast<void>(PostgresCluster::shared().ask("DROP TABLE spillway_backend_modes"));
        static_cast<void>(PostgresCluster::shared().ask("UPDATE spillway_schema SET version = 1"));
    }

    static constexpr Wall kNow{std::chrono::milliseconds(1'790'000'000'123)};
};
FOR_BOTH_STORES(ModeStores);

TEST_P(ModeStores, KeepTheLastWordOnEachBackend) {
    const auto store = keys();
    EXPECT_TRUE(store->modes_changed_since(-1)->empty());
    ASSERT_TRUE(
        store->put_mode(mode("\xc3\xbc"
                             "ber",
                             "draining")));
    ASSERT_TRUE(store->put_mode(mode("two", "off")));
    EXPECT_EQ(store->version().value(), 2);

    const auto other = keys();
    auto first = other->modes_changed_since(0).value();
    ASSERT_EQ(first.size(), 2U);
    const ModeRow& row = first[0].backend == "two" ? first[1] : first[0];
    EXPECT_EQ(row.backend,
              "\xc3\xbc"
              "ber");
    EXPECT_EQ(row.mode, "draining");
    EXPECT_EQ(row.who, "ad\xc3\x89 \xff") << "whatever its bytes are";
    EXPECT_EQ(row.since, kNow);

    ASSERT_TRUE(other->put_mode(mode("two", "on")));
    const auto changed = store->modes_changed_since(2).value();
    ASSERT_EQ(changed.size(), 1U);
    EXPECT_EQ(changed[0].backend, "two");
    EXPECT_EQ(changed[0].mode, "on") << "so that who looks later learns of it";
    EXPECT_EQ(store->modes_changed_since(-1)->size(), 2U);
}

TEST_P(ModeStores, AKeyAndAModeAreNotEachOthersChange) {
    const auto store = keys();
    ASSERT_TRUE(store->put({key("key_1")}));
    ASSERT_TRUE(store->put_mode(mode("one", "off")));
    EXPECT_EQ(store->version().value(), 2) << "one number for both";
    EXPECT_TRUE(store->changed_since(1)->empty());
    EXPECT_EQ(store->modes_changed_since(1)->size(), 1U);
    ASSERT_TRUE(store->put({key("key_2")}));
    EXPECT_TRUE(store->modes_changed_since(2)->empty());
}

TEST_P(ModeStores, AStoreOfAnOlderProgramLearnsOfThem) {
    make_older();
    std::vector<std::thread> threads;
    for (int i = 0; i < (on_sqlite() ? 1 : 4); ++i)
        threads.emplace_back([this] { EXPECT_TRUE(keys()->modes_changed_since(-1)->empty()); });
    for (auto& thread : threads) thread.join();
    const auto store = keys();
    ASSERT_TRUE(store->put_mode(mode("one", "draining")));
    EXPECT_EQ(keys()->modes_changed_since(-1)->size(), 1U);
    EXPECT_TRUE(keys()->find("key_1").value()) << "and keeps what was there";
    EXPECT_EQ(store->version().value(), 2);
}

TEST_P(ModeStores, WhatMayOnlyBeReadIsRead) {
    if (!on_sqlite()) {
        ASSERT_TRUE(keys()->put_mode(mode("one", "off")));
        config::StoreConfig reading;
        reading.url =
            config::Secret(PostgresCluster::shared().url("?options=-cdefault_transaction_read_only%3Don"));
        const auto store = keys_of(reading)(false).value();
        EXPECT_EQ(store->modes_changed_since(-1)->size(), 1U);
        const auto refused = store->put_mode(mode("one", "on"));
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error().message, HasSubstr("read-only"));
        return;
    }
    make_older();
    // Root may write everything.
    if (::geteuid() == 0) {
        ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
    }
    ASSERT_EQ(::chmod(named_.path.c_str(), 0444), 0);
    const uid_t self = ::geteuid();
    if (self == 0) {
        ASSERT_EQ(::seteuid(65534), 0);
    }
    auto opened = keys_of(named_)(false);
    auto modes = opened ? (*opened)->modes_changed_since(-1) : opened.error();
    auto refused = opened ? (*opened)->put_mode(mode("one", "off")) : opened.error();
    opened = fail("closed");
    if (self == 0) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    ASSERT_TRUE(modes) << modes.error().message;
    EXPECT_TRUE(modes->empty()) << "of an older program's file, which stays as it is";
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("readonly"));
}

}  // namespace
}  // namespace spillway::store
