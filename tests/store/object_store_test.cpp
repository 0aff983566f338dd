#include "store/object_store.hpp"

#include <thread>

#include "store/both_stores.hpp"
#include "store/object_directory.hpp"

namespace spillway::store {
namespace {

using What = ObjectChange::What;

class ObjectStores : public BothStores {
protected:
    static std::optional<ObjectRow> find(ObjectStore& store, const std::string& id) {
        auto found = store.find(std::vector{id});
        EXPECT_TRUE(found) << found.error().message;
        return found ? found->at(0) : std::nullopt;
    }
    static std::string owner(ObjectStore& store, const std::string& id) {
        const auto row = find(store, id);
        return row ? row->owner.client : "-";
    }
    static ObjectChange change(What what, std::string_view id, std::string_view client) {
        return {.what = what, .id = id, .resource = "one", .client = client, .team = {}, .expires = {}};
    }
};
FOR_BOTH_STORES(ObjectStores);

TEST_P(ObjectStores, KeepWhoseAThingIs) {
    const auto store = objects();
    ASSERT_TRUE(
        store->write(std::vector{change(What::made, "file-1", "a"), change(What::made, "file-2", "a"),
                                 change(What::found, "file-2", "b"), change(What::found, "file-3", "c"),
                                 change(What::made, "file-4", "a"), change(What::made, "file-4", "b"),
                                 change(What::made, "file-5", "a"), change(What::gone, "file-5", {})}));
    const auto other = objects();
    EXPECT_EQ(owner(*other, "file-1"), "a");
    EXPECT_EQ(owner(*other, "file-2"), "a") << "it was somebody's";
    EXPECT_EQ(owner(*other, "file-3"), "c");
    EXPECT_EQ(owner(*other, "file-4"), "b") << "made anew";
    EXPECT_EQ(owner(*other, "file-5"), "-");
    const auto several = other->find(std::vector<std::string>{"file-9", "file-4", "file-1"}).value();
    ASSERT_EQ(several.size(), 3U);
    EXPECT_FALSE(several[0]);
    EXPECT_EQ(several[1]->owner.client, "b");
    EXPECT_EQ(several[2]->resource, "one");
    EXPECT_TRUE(other->find({}).value().empty());
}

TEST_P(ObjectStores, TakeNamesOfAnyBytes) {
    using namespace std::string_view_literals;
    const auto store = objects();
    ObjectChange odd = change(What::made, "file-\xff'\\", "client \xc3");
    odd.team = "t\xf0"sv;
    ASSERT_TRUE(store->write(std::vector{odd}));
    const auto found = find(*store, "file-\xff'\\");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->owner, (OwnerName{"client \xc3", "t\xf0"}));
}

TEST_P(ObjectStores, KeepWhereAnOwnerHasThings) {
    const auto store = objects();
    const auto place = [](std::string_view client, std::string_view resource) {
        return ObjectChange{.what = What::place,
                            .id = {},
                            .resource = resource,
                            .client = client,
                            .team = "t",
                            .expires = {}};
    };
    ASSERT_TRUE(store->write(std::vector{place("a", "two"), place("b", "one")}));
    ASSERT_TRUE(store->write(std::vector{place("a", "two"), place("a", "one")}));
    const auto all = objects()->places(0).value();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].resource, "two");
    EXPECT_EQ(all[1].owner, (OwnerName{"b", "t"}));
    EXPECT_EQ(all[2].resource, "one");
    EXPECT_LT(all[1].number, all[2].number);
    EXPECT_EQ(store->places(all[1].number)->size(), 1U);
    EXPECT_TRUE(store->places(all[2].number)->empty());
}

TEST_P(ObjectStores, ForgetWhatHasExpired) {
    const auto store = objects();
    const Wall now{std::chrono::hours(500'000)};
    ObjectChange old = change(What::made, "resp_old", "a");
    old.expires = now - std::chrono::hours(1);
    ObjectChange fresh = change(What::made, "resp_new", "a");
    fresh.expires = now + std::chrono::hours(1);
    ASSERT_TRUE(store->write(std::vector{old, fresh, change(What::made, "file-1", "a")}));
    ASSERT_TRUE(store->expire(now));
    EXPECT_FALSE(find(*store, "resp_old"));
    EXPECT_TRUE(find(*store, "resp_new"));
    EXPECT_TRUE(find(*store, "file-1"));
}

TEST_P(ObjectStores, TakeManyAtOnceFromSeveral) {
    static_cast<void>(objects());
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&, t] {
            const auto store = objects();
            std::vector<std::string> ids;
            for (int i = 0; i < 4'000; ++i) ids.push_back("id-" + std::to_string((i * 7 + t * 131) % 4'000));
            std::vector<ObjectChange> changes;
            for (const auto& id : ids) changes.push_back(change(What::made, id, "a"));
            const auto written = store->write(changes);
            EXPECT_TRUE(written) << written.error().message;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(owner(*objects(), "id-3999"), "a");
}

TEST_P(ObjectStores, ShowAnotherProcessWhereAnOwnerHasThings) {
    ObjectDirectory one(64);
    ObjectDirectory other(64);
    ASSERT_TRUE(one.persist(objects_of(named_), ObjectDirectory::Absent::error, {}));
    ASSERT_TRUE(other.persist(objects_of(named_), ObjectDirectory::Absent::error, {}));
    const Owner owner{"a", {}, hash_owner("a", {})};
    auto writer = one.make_writer();
    writer.keeps_at(owner, one.resource("two"));
    one.sync();
    for (int i = 0; i < 500 && other.places(owner.hash).empty(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(other.places(owner.hash), std::vector{other.resource("two")});
}

}  // namespace
}  // namespace spillway::store
