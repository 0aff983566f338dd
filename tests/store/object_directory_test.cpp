#include "store/object_directory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/loop.hpp"
#include "store/sqlite_objects.hpp"

namespace spillway::store {
namespace {

TEST(ObjectTable, RemembersWhereAndWhose) {
    ObjectTable table(64);
    EXPECT_FALSE(table.find("file-1"));
    table.put("file-1", {3, 77});
    table.put("file-2", {4, 0});
    EXPECT_EQ(table.find("file-1"), (ObjectPlace{3, 77}));
    EXPECT_EQ(table.find("file-2"), (ObjectPlace{4, 0}));
    table.put("file-1", {5, 78});
    EXPECT_EQ(table.find("file-1"), (ObjectPlace{5, 78}));
    table.erase("file-1");
    EXPECT_FALSE(table.find("file-1"));
}

TEST(ObjectTable, IsBoundedAndNeverTellsOfAnother) {
    ObjectTable table(16);
    for (std::uint16_t i = 1; i < 1000; ++i) table.put("id-" + std::to_string(i), {i, i});
    std::size_t found = 0;
    for (std::uint16_t i = 1; i < 1000; ++i)
        if (const auto place = table.find("id-" + std::to_string(i))) {
            EXPECT_EQ(place->owner, i);
            ++found;
        }
    EXPECT_GT(found, 0U);
    EXPECT_LE(found, 16U);
}

TEST(ObjectTable, TellsOwnersApart) {
    EXPECT_NE(hash_owner("a", ""), hash_owner("b", ""));
    EXPECT_NE(hash_owner("a", "x"), hash_owner("a", ""));
    EXPECT_NE(hash_owner("a", "b"), hash_owner("b", "a"));
    EXPECT_EQ(hash_owner("a", "b"), hash_owner("a", "b"));
    EXPECT_NE(hash_owner("", ""), 0U);
}

class Kept : public ::testing::Test {
protected:
    Kept()
        : folder_(std::filesystem::temp_directory_path() / ("spillway-store-" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(folder_);
    }
    ~Kept() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path() const { return (folder_ / "state" / "store.db").string(); }
    [[nodiscard]] std::unique_ptr<ObjectDirectory> open(std::size_t entries = 1024) const {
        auto directory = std::make_unique<ObjectDirectory>(entries);
        const auto kept = directory->persist(sqlite_objects(path()), ObjectDirectory::Absent::error, {});
        EXPECT_TRUE(kept) << kept.error().message;
        return directory;
    }
    static ObjectDirectory::Found look_up(ObjectDirectory& directory, std::vector<std::string> ids) {
        ObjectDirectory::Found out;
        Loop loop;
        loop.spawn([&]() -> Task<> {
            auto found = co_await directory.look_up(ids);
            EXPECT_TRUE(found) << found.error().message;
            if (found) out = *found;
        });
        loop.run();
        return out;
    }
    static Owner owner(std::string_view client) { return {client, {}, hash_owner(client, {})}; }

    std::filesystem::path folder_;
};

TEST_F(Kept, OutlivesARestart) {
    {
        auto directory = open();
        EXPECT_FALSE(std::filesystem::exists(path())) << "nothing to keep yet";
        auto writer = directory->make_writer();
        writer.made("file-1", directory->resource("one"), owner("a"), std::nullopt);
        writer.made("file-2", directory->resource("two"), owner("b"), std::nullopt);
        writer.made("file-3", directory->resource("two"), owner("b"), std::nullopt);
        writer.gone("file-3");
        writer.keeps_at(owner("a"), directory->resource("one"));
        writer.keeps_at(owner("a"), directory->resource("two"));
    }
    EXPECT_EQ(std::filesystem::status(path()).permissions() & std::filesystem::perms::others_all,
              std::filesystem::perms::none);
    auto directory = open();
    (void)directory->resource("two");  // numbers may differ
    EXPECT_FALSE(directory->find("file-1")) << "not read before it is asked for";
    const auto found = look_up(*directory, {"file-1", "file-2", "file-3", "file-4"});
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[0], (ObjectPlace{directory->resource("one"), owner("a").hash}));
    EXPECT_EQ(found[1], (ObjectPlace{directory->resource("two"), owner("b").hash}));
    EXPECT_FALSE(found[2]);
    EXPECT_FALSE(found[3]);
    EXPECT_EQ(directory->find("file-1"), found[0]) << "remembered";
    EXPECT_EQ(directory->places(owner("a").hash),
              (std::vector{directory->resource("one"), directory->resource("two")}));
    EXPECT_TRUE(directory->places(owner("b").hash).empty());
}

TEST_F(Kept, AnotherProcessOnTheSameStoreKnows) {
    auto one = open();
    auto other = open();
    auto writer = one->make_writer();
    writer.made("resp_1", one->resource("r"), owner("a"), wall_now() + std::chrono::hours(1));
    one->sync();
    EXPECT_EQ(look_up(*other, {"resp_1"})[0], (ObjectPlace{other->resource("r"), owner("a").hash}));
    EXPECT_EQ(one->stats().written, 1U);
}

TEST_F(Kept, WhatWasFoundIsKnownBeforeItIsWritten) {
    auto directory = open();
    auto writer = directory->make_writer();
    for (int i = 0; i < 20; ++i) {
        const std::string id = "cntr_" + std::to_string(i);
        writer.found(id, directory->resource("r"), owner("a"));
        const auto found = look_up(*directory, {"nobodys", id});
        EXPECT_FALSE(found[0]);
        ASSERT_TRUE(found[1]) << i;
        EXPECT_EQ(found[1]->owner, owner("a").hash);
    }
}

TEST_F(Kept, WhatIsKnownAsSomebodysStaysSo) {
    auto directory = open(4);  // memory forgets at once
    auto writer = directory->make_writer();
    writer.made("thread_1", directory->resource("r"), owner("a"), std::nullopt);
    for (int i = 0; i < 64; ++i) writer.seen("x-" + std::to_string(i), 1);
    writer.found("thread_1", directory->resource("r"), owner("b"));
    directory->sync();
    EXPECT_EQ(look_up(*directory, {"thread_1"})[0]->owner, owner("a").hash);
    writer.made("thread_1", directory->resource("r"), owner("b"), std::nullopt);  // made anew
    directory->sync();
    EXPECT_EQ(look_up(*directory, {"thread_1"})[0]->owner, owner("b").hash);
}

TEST_F(Kept, GoesOnInMemoryWhenTheStoreCannotBeWritten) {
    std::filesystem::create_directories(folder_);
    const std::string blocked = (folder_ / "file" / "store.db").string();
    { std::ofstream(folder_ / "file") << "no folder"; }
    std::vector<std::string> said;
    ObjectDirectory directory(64);
    ASSERT_TRUE(directory.persist(sqlite_objects(blocked), ObjectDirectory::Absent::error,
                                  [&](const std::string& line) { said.push_back(line); }));
    auto writer = directory.make_writer();
    writer.made("file-1", directory.resource("r"), owner("a"), std::nullopt);
    directory.sync();
    directory.sync();
    EXPECT_TRUE(directory.find("file-1"));
    EXPECT_GE(directory.stats().failures, 1U);
    directory.close();
    ASSERT_EQ(said.size(), 1U) << "once";
}

}  // namespace
}  // namespace spillway::store
