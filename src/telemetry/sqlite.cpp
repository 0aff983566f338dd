#include "telemetry/sqlite.hpp"

#include <fmt/format.h>

#include <utility>

namespace spillway::telemetry {
namespace {

Error last_error(sqlite3* db, std::string_view doing) {
    return fail(fmt::format("{}: {}", doing, sqlite3_errmsg(db)));
}

Result<std::size_t> schema_version(sqlite3* db) {
    auto statement = prepare(db, "PRAGMA user_version");
    if (!statement) return statement.error();
    if (sqlite3_step(statement->get()) != SQLITE_ROW) return last_error(db, "user_version");
    return static_cast<std::size_t>(sqlite3_column_int64(statement->get(), 0));
}

Result<void> run_steps(sqlite3* db, std::span<const char* const> steps) {
    const auto version = schema_version(db);
    if (!version) return version.error();
    if (*version > steps.size())
        return fail(fmt::format("schema version {} is newer than this program's {}", *version, steps.size()));
    for (std::size_t i = *version; i < steps.size(); ++i)
        if (auto done = execute(db, steps[i]); !done) return done;
    if (*version == steps.size()) return {};
    return execute(db, fmt::format("PRAGMA user_version = {}", steps.size()).c_str());
}

}  // namespace

Result<Database> open_database(const std::string& path, int flags) {
    sqlite3* raw = nullptr;
    const int rc = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    Database db(raw);
    if (rc != SQLITE_OK) return fail(fmt::format("{}: {}", path, sqlite3_errstr(rc)));
    sqlite3_busy_timeout(db.get(), 1000);
    return db;
}

Result<void> execute(sqlite3* db, const char* sql) {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return last_error(db, "SQLite");
    return {};
}

Result<void> use_write_ahead_log(sqlite3* db) {
    // The change of the mode needs the file alone, and does not wait for that: SQLite calls no busy handler.
    constexpr int tries = 200;
    constexpr int pause_ms = 5;
    int code = SQLITE_BUSY;
    for (int i = 0; i < tries && (code & 0xff) == SQLITE_BUSY; ++i) {
        if (i > 0) sqlite3_sleep(pause_ms);
        code = sqlite3_exec(db, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    }
    if (code != SQLITE_OK) return last_error(db, "SQLite");
    return execute(db, "PRAGMA synchronous = NORMAL");
}

Result<Statement> prepare(sqlite3* db, std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK)
        return last_error(db, "SQLite");
    return Statement(raw);
}

Result<void> migrate(sqlite3* db, std::span<const char* const> steps) {
    // The usual case waits for nobody who writes.
    if (const auto version = schema_version(db); version && *version == steps.size()) return {};
    if (auto begun = execute(db, "BEGIN IMMEDIATE"); !begun) return begun;
    auto done = run_steps(db, steps);
    if (done) return execute(db, "COMMIT");
    static_cast<void>(execute(db, "ROLLBACK"));
    return done;
}

}  // namespace spillway::telemetry
