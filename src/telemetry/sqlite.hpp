#pragma once
/// SQLite handles as owning values, and schema migration. Errors: with SQLite's own message.
/// Thread rule: a connection and its statements belong to one thread at a time (opened with NOMUTEX).
#include <sqlite3.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::telemetry {

struct SqliteFree {
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, SqliteFree>;
using Statement = std::unique_ptr<sqlite3_stmt, SqliteFree>;

/// `flags` as for sqlite3_open_v2. Waits up to one second for a locked file.
[[nodiscard]] Result<Database> open_database(const std::string& path, int flags);
[[nodiscard]] Result<void> execute(sqlite3* db, const char* sql);
/// Sets the file to be written through a log (WAL), kept on the disk at each checkpoint: readers and the
/// writer do not wait for each other. Waits up to a second for others who open a new file at the same time.
[[nodiscard]] Result<void> use_write_ahead_log(sqlite3* db);
[[nodiscard]] Result<Statement> prepare(sqlite3* db, std::string_view sql);

/// Brings the schema to version steps.size(): runs each step missing according to `PRAGMA user_version`, all
/// in one transaction. Refuses a file from a newer program.
[[nodiscard]] Result<void> migrate(sqlite3* db, std::span<const char* const> steps);

}  // namespace spillway::telemetry
