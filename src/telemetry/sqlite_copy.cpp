#include "telemetry/sqlite_copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include "base/file_descriptor.hpp"
#include "telemetry/sqlite.hpp"

namespace spillway::telemetry {
namespace {

namespace fs = std::filesystem;

struct BackupEnd {
    void operator()(sqlite3_backup* backup) const noexcept { sqlite3_backup_finish(backup); }
};

/// All pages in one step, so that they are of one moment; again if a writer holds the file just then.
Result<void> copy_pages(sqlite3* from, sqlite3* to) {
    constexpr int most_tries = 100;
    const std::unique_ptr<sqlite3_backup, BackupEnd> backup(sqlite3_backup_init(to, "main", from, "main"));
    if (!backup) return fail(sqlite3_errmsg(to));
    int rc = SQLITE_BUSY;
    for (int i = 0; i < most_tries && (rc == SQLITE_BUSY || rc == SQLITE_LOCKED); ++i) {
        if (i != 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
        rc = sqlite3_backup_step(backup.get(), -1);
    }
    if (rc != SQLITE_DONE) return fail(sqlite3_errstr(rc));
    return {};
}

Result<std::string> one_text(sqlite3* db, std::string_view sql) {
    auto statement = prepare(db, sql);
    if (!statement) return statement.error();
    if (sqlite3_step(statement->get()) != SQLITE_ROW) return fail(sqlite3_errmsg(db));
    const auto* text = sqlite3_column_text(statement->get(), 0);
    return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

Result<void> make_copy(const std::string& from, const std::string& to) {
    auto source = open_database(from, SQLITE_OPEN_READONLY);
    if (!source) return source.error();
    auto target = open_database(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!target) return target.error();
    ::chmod(to.c_str(), S_IRUSR | S_IWUSR);
    if (auto done = copy_pages(source->get(), target->get()); !done)
        return fail(fmt::format("{}: {}", from, done.error().message));
    // One file, whatever mode the original is in.
    if (auto done = execute(target->get(), "PRAGMA journal_mode = DELETE"); !done) return done;
    const auto sound = one_text(target->get(), "PRAGMA quick_check");
    if (!sound) return sound.error();
    if (*sound != "ok") return fail(fmt::format("{}: is damaged: {}", from, *sound));
    return {};
}

}  // namespace

Result<std::uint64_t> copy_database(const std::string& from, const std::string& to) {
    std::error_code error;
    if (!fs::is_regular_file(from, error)) return fail(fmt::format("{}: no such file", from));
    const std::string part = to + ".part";
    for (const char* end : {"", "-wal", "-shm", "-journal"}) fs::remove(part + end, error);
    auto done = make_copy(from, part);
    if (done) {
        if (const FileDescriptor file(::open(part.c_str(), O_RDONLY | O_CLOEXEC)); file.is_open())
            ::fsync(file.get());
        fs::rename(part, to, error);
        if (error) done = fail(fmt::format("{}: {}", to, error.message()));
    }
    if (!done) {
        std::error_code ignored;
        fs::remove(part, ignored);
        return done.error();
    }
    return static_cast<std::uint64_t>(fs::file_size(to, error));
}

bool is_in_use(const std::string& path) {
    constexpr off_t dead_man_switch = 128;  // of the WAL index's locks
    const FileDescriptor file(::open((path + "-shm").c_str(), O_RDWR | O_CLOEXEC));
    if (!file.is_open()) return false;
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = dead_man_switch;
    lock.l_len = 1;
    return ::fcntl(file.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

Result<void> check_database(const std::string& path, std::string_view table) {
    auto db = open_database(path, SQLITE_OPEN_READONLY);
    if (!db) return db.error();
    const auto sound = one_text(db->get(), "PRAGMA quick_check");
    if (!sound) return fail(fmt::format("{}: {}", path, sound.error().message));
    if (*sound != "ok") return fail(fmt::format("{}: is damaged: {}", path, *sound));
    const auto found = one_text(
        db->get(),
        fmt::format("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '{}'", table));
    if (!found) return found.error();
    if (*found != "1") return fail(fmt::format("{}: has no table {}", path, table));
    return {};
}

}  // namespace spillway::telemetry
