#include "store/sqlite_schema.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace spillway::store {
namespace {

/// Append only: a released step is never edited, a change is a new step.
constexpr std::array<const char*, 3> kSchema{R"sql(
CREATE TABLE objects (
    id TEXT PRIMARY KEY,
    resource TEXT NOT NULL,
    client TEXT NOT NULL,
    team TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_expire ON objects (expires) WHERE expires > 0;
CREATE TABLE places (
    number INTEGER PRIMARY KEY,
    client TEXT NOT NULL,
    team TEXT NOT NULL,
    resource TEXT NOT NULL,
    UNIQUE (client, team, resource)
) STRICT;
)sql",
                                             R"sql(
CREATE TABLE key_store (secret BLOB NOT NULL, version INTEGER NOT NULL) STRICT;
INSERT INTO key_store (secret, version) VALUES (randomblob(32), 0);
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    settings TEXT NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX keys_version ON keys (version);
CREATE TABLE key_macs (
    mac BLOB PRIMARY KEY,
    key TEXT NOT NULL,
    made INTEGER NOT NULL,
    ends INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX key_macs_key ON key_macs (key);
)sql",
                                             R"sql(
CREATE TABLE backend_modes (
    backend TEXT PRIMARY KEY,
    mode TEXT NOT NULL,
    who TEXT NOT NULL,
    since INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql"};

/// A folder and a file that nobody else may read.
Result<void> prepare_file(const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    std::error_code ec;
    if (!folder.empty() && !std::filesystem::exists(folder, ec)) {
        std::filesystem::create_directories(folder, ec);
        if (ec) return fail(fmt::format("{}: {}", folder.string(), ec.message()));
        (void)::chmod(folder.c_str(), S_IRWXU);
    }
    // An empty file is an empty database; those beside it (-wal, -shm) get its permissions.
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) return fail(fmt::format("{}: {}", path, std::generic_category().message(errno)));
    ::close(fd);
    return {};
}

bool is_read_only(sqlite3* db) {
    return sqlite3_db_readonly(db, "main") == 1;
}

}  // namespace

Result<telemetry::Database> open_sqlite_store(const std::string& path, bool create) {
    std::error_code ec;
    const bool there = std::filesystem::exists(path, ec);
    if (!there && !create) return telemetry::Database();
    if (!there)
        if (auto ready = prepare_file(path); !ready) return ready.error();
    auto db = telemetry::open_database(path, SQLITE_OPEN_READWRITE);
    if (!db) return db.error();
    if (is_read_only(db->get())) return db;
    if (auto set = telemetry::use_write_ahead_log(db->get()); !set) return set.error();
    if (auto migrated = telemetry::migrate(db->get(), kSchema); !migrated) return migrated.error();
    return db;
}

Result<void> can_write_store(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    fs::path at = fs::absolute(path, ignored);
    const bool there = fs::exists(at, ignored);
    while (!fs::exists(at, ignored) && at.has_relative_path()) at = at.parent_path();
    if (!there && !fs::is_directory(at, ignored)) return fail(fmt::format("{} is no folder", at.string()));
    if (::access(at.c_str(), there ? W_OK : W_OK | X_OK) == 0) return {};
    return fail(fmt::format("{}: {}", at.string(), std::generic_category().message(errno)));
}

}  // namespace spillway::store
