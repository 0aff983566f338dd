#pragma once
/// What is asked of any store is asked of each kind: an SQLite file, a PostgreSQL database.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "store/named_store.hpp"
#include "store/postgres_cluster.hpp"

namespace spillway::store {

class BothStores : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        if (GetParam() == std::string("Sqlite")) {
            folder_ =
                std::filesystem::temp_directory_path() / ("spillway-both-" + std::to_string(::getpid()));
            std::filesystem::remove_all(folder_);
            named_.path = (folder_ / "store.db").string();
            return;
        }
        NEEDS_POSTGRES;
        PostgresCluster::shared().clear();
        named_.url = config::Secret(PostgresCluster::shared().url());
    }
    void TearDown() override {
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }

    [[nodiscard]] std::unique_ptr<KeyStore> keys() const {
        auto opened = keys_of(named_)(true);
        EXPECT_TRUE(opened) << opened.error().message;
        return opened ? std::move(*opened) : nullptr;
    }
    [[nodiscard]] std::unique_ptr<ObjectStore> objects() const {
        auto opened = objects_of(named_)(true);
        EXPECT_TRUE(opened) << opened.error().message;
        return opened ? std::move(*opened) : nullptr;
    }

    config::StoreConfig named_;
    std::filesystem::path folder_;
};

#define FOR_BOTH_STORES(suite)                                                    \
    INSTANTIATE_TEST_SUITE_P(All, suite, ::testing::Values("Sqlite", "Postgres"), \
                             [](const auto& kind) { return std::string(kind.param); })

}  // namespace spillway::store
