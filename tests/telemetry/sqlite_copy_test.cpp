#include "telemetry/sqlite_copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "telemetry/sqlite.hpp"

namespace spillway::telemetry {
namespace {

namespace fs = std::filesystem;

class SqliteCopy : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("spillway-copy-" + std::to_string(::getpid()));
        fs::create_directories(folder_);
        db_ = open_database(path("a.db"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE).value();
        ASSERT_TRUE(execute(db_.get(), "PRAGMA journal_mode = WAL; CREATE TABLE usage (n INTEGER)"));
    }
    void TearDown() override {
        db_.reset();
        fs::remove_all(folder_);
    }
    [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
    static std::int64_t number(const std::string& file, const char* sql) {
        const auto db = open_database(file, SQLITE_OPEN_READONLY).value();
        const auto statement = prepare(db.get(), sql).value();
        return sqlite3_step(statement.get()) == SQLITE_ROW ? sqlite3_column_int64(statement.get(), 0) : -1;
    }

    fs::path folder_;
    Database db_;
};

TEST_F(SqliteCopy, HasWhatIsOnlyInTheLog) {
    ASSERT_TRUE(execute(db_.get(), "INSERT INTO usage VALUES (1), (2), (3)"));
    const auto bytes = copy_database(path("a.db"), path("b.db"));
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_GT(*bytes, 0U);
    EXPECT_EQ(number(path("b.db"), "SELECT count(*) FROM usage"), 3);
    EXPECT_FALSE(fs::exists(path("b.db-wal"))) << "one file";
    struct stat facts {};
    ASSERT_EQ(::stat(path("b.db").c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(SqliteCopy, IsOfOneMomentWhileOthersWrite) {
    std::atomic<bool> ended{false};
    std::thread writer([&] {
        const auto db = open_database(path("a.db"), SQLITE_OPEN_READWRITE).value();
        // Two rows a transaction: an odd count would be half of one.
        while (!ended)
            (void)execute(db.get(),
                          "BEGIN; INSERT INTO usage VALUES (1); INSERT INTO usage VALUES (2); COMMIT");
    });
    for (int i = 0; i < 20; ++i) {
        const auto bytes = copy_database(path("a.db"), path("b.db"));
        ASSERT_TRUE(bytes) << bytes.error().message;
        EXPECT_EQ(number(path("b.db"), "SELECT count(*) % 2 FROM usage"), 0);
    }
    ended = true;
    writer.join();
    EXPECT_GT(number(path("b.db"), "SELECT count(*) FROM usage"), 0);
}

TEST_F(SqliteCopy, LeavesNothingWhenItFails) {
    EXPECT_FALSE(copy_database(path("none.db"), path("b.db")));
    std::ofstream(path("bad.db")) << std::string(8192, 'x');
    const auto bad = copy_database(path("bad.db"), path("b.db"));
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().message, testing::HasSubstr("bad.db"));
    EXPECT_FALSE(fs::exists(path("b.db")));
    EXPECT_FALSE(fs::exists(path("b.db.part")));
}

TEST_F(SqliteCopy, KnowsWhatItIs) {
    EXPECT_TRUE(check_database(path("a.db"), "usage"));
    const auto no = check_database(path("a.db"), "conversations");
    ASSERT_FALSE(no);
    EXPECT_THAT(no.error().message, testing::HasSubstr("has no table conversations"));
    EXPECT_FALSE(check_database(path("none.db"), "usage"));
}

TEST_F(SqliteCopy, SeesWhoElseHasItOpen) {
    EXPECT_FALSE(is_in_use(path("none.db")));
    // A lock of one's own process is not seen: another one looks.
    const auto seen_by_child = [&] {
        const auto child = ::fork();
        if (child == 0) ::_exit(is_in_use(path("a.db")) ? 1 : 0);
        int status = 0;
        ::waitpid(child, &status, 0);
        return WEXITSTATUS(status) == 1;
    };
    ASSERT_TRUE(execute(db_.get(), "INSERT INTO usage VALUES (1)"));
    EXPECT_TRUE(seen_by_child());
    db_.reset();
    EXPECT_FALSE(seen_by_child());
}

}  // namespace
}  // namespace spillway::telemetry
