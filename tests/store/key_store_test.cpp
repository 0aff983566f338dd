#include "store/key_store.hpp"

#include <atomic>
#include <map>
#include <thread>

#include "store/both_stores.hpp"

namespace spillway::store {
namespace {

class KeyStores : public BothStores {
protected:
    static Mac mac(int number) {
        Mac out{};
        out[0] = static_cast<unsigned char>(number);
        out[1] = static_cast<unsigned char>(number >> 8);
        return out;
    }
    static KeyRow key(const std::string& id, std::vector<int> macs) {
        KeyRow out;
        out.id = id;
        out.settings = R"({"client":"app","name":"É"})";
        out.made = kNow;
        for (const int number : macs) out.macs.push_back({mac(number), kNow, std::nullopt});
        return out;
    }
    static constexpr Wall kNow{std::chrono::milliseconds(1'790'000'000'123)};
};
FOR_BOTH_STORES(KeyStores);

TEST_P(KeyStores, KeepWhatIsPut) {
    const auto store = keys();
    ASSERT_EQ(store->version().value(), 0);
    EXPECT_TRUE(store->changed_since(-1)->empty());
    EXPECT_FALSE(store->find("key_1").value());
    KeyRow row = key("key_1", {1, 2});
    row.macs[0].ends = kNow + std::chrono::hours(1);
    row.expires = kNow + std::chrono::hours(2);
    ASSERT_TRUE(store->put({row, key("key_2", {})}));
    EXPECT_EQ(store->version().value(), 1);

    const auto other = keys();
    EXPECT_EQ(other->secret().value(), store->secret().value());
    EXPECT_NE(store->secret().value(), Mac{});
    const auto found = other->find("key_1").value();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->settings, row.settings);
    EXPECT_EQ(found->made, kNow);
    EXPECT_EQ(found->expires, row.expires);
    EXPECT_FALSE(found->revoked);
    ASSERT_EQ(found->macs.size(), 2U);
    for (const KeyMacRow& one : found->macs)
        EXPECT_EQ(one.ends, one.mac == mac(1) ? row.macs[0].ends : std::nullopt);
    EXPECT_TRUE(other->find("key_2").value()->macs.empty());
    EXPECT_EQ(other->changed_since(0)->size(), 2U);

    row.revoked = kNow;
    row.macs = {{mac(3), kNow, std::nullopt}};
    ASSERT_TRUE(other->put({row}));
    const auto changed = store->changed_since(1).value();
    ASSERT_EQ(changed.size(), 1U);
    EXPECT_EQ(changed[0].revoked, kNow);
    ASSERT_EQ(changed[0].macs.size(), 1U);
    EXPECT_EQ(changed[0].macs[0].mac, mac(3));
    EXPECT_TRUE(store->changed_since(2)->empty());
}

TEST_P(KeyStores, RefuseAnothersSecretAndKeepNothingOfIt) {
    const auto store = keys();
    ASSERT_TRUE(store->put({key("key_1", {1})}));
    const auto refused = store->put({key("key_2", {2}), key("key_3", {1})});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, kMacTaken);
    EXPECT_EQ(store->version().value(), 1);
    EXPECT_FALSE(store->find("key_2").value());
    EXPECT_TRUE(store->put({key("key_2", {2})})) << "what was refused leaves nothing behind";
    EXPECT_TRUE(store->put({key("key_1", {1, 4})})) << "its own it may keep";
}

/// A reader who remembers the number it has seen, as the gateway does, sees each change of any writer.
TEST_P(KeyStores, NoReaderMissesAChangeOfConcurrentWriters) {
    constexpr int writers = 4;
    constexpr int each = 25;
    static_cast<void>(keys());
    std::atomic<int> writing{writers};
    std::vector<std::thread> threads;
    for (int w = 0; w < writers; ++w)
        threads.emplace_back([&, w] {
            const auto store = keys();
            for (int i = 0; i < each; ++i) {
                const int number = w * each + i + 1;
                const auto done =
                    store->put({key("key_" + std::to_string(number), {number}), key("same", {})});
                EXPECT_TRUE(done) << done.error().message;
            }
            --writing;
        });
    const auto reader = keys();
    std::map<std::string, int> seen;
    std::int64_t known = 0;
    for (bool last = false; !last;) {
        last = writing == 0;
        const auto version = reader->version();
        ASSERT_TRUE(version) << version.error().message;
        EXPECT_GE(*version, known);
        if (*version == known) continue;
        for (const KeyRow& row : reader->changed_since(known).value()) ++seen[row.id];
        known = *version;
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(known, writers * each);
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(writers * each + 1));
}

}  // namespace
}  // namespace spillway::store
