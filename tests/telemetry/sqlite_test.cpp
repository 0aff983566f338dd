#include "telemetry/sqlite.hpp"

#include <gtest/gtest.h>

#include <array>
#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/temp_dir.hpp"

namespace spillway::telemetry {
namespace {

TEST(Sqlite, ManyOpenANewFileAtTheSameTime) {
    constexpr std::array<const char*, 1> schema{"CREATE TABLE numbers (number INTEGER) STRICT"};
    const test::TempDir folder;
    for (int file = 0; file < 25; ++file) {
        const std::string path = folder.file("new-" + std::to_string(file) + ".db");
        constexpr std::size_t many = 6;
        std::barrier together(many);
        std::vector<std::string> faults(many);
        std::vector<std::thread> threads;
        for (std::string& fault : faults)
            threads.emplace_back([&] {
                together.arrive_and_wait();
                const auto db = open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
                auto done = db ? use_write_ahead_log(db->get()) : Result<void>(db.error());
                if (done) done = migrate(db->get(), schema);
                if (!done) fault = done.error().message;
            });
        for (std::thread& thread : threads) thread.join();
        for (const std::string& fault : faults) EXPECT_EQ(fault, "") << file;
    }
}

}  // namespace
}  // namespace spillway::telemetry
