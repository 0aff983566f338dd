#pragma once
/// Copies of SQLite files that may be in use, and a look whether they are.
///
/// Thread rule: each call by itself; nothing is shared. Errors: SQLite's, or the system's, with the path.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::telemetry {

/// Makes `to` a whole and sound copy of `from` as it is at one moment, although others may write to it
/// meanwhile (sqlite.org/backup.html). It is readable by its owner only; nothing is there if it fails. Gives
/// its size in bytes.
[[nodiscard]] Result<std::uint64_t> copy_database(const std::string& from, const std::string& to);

/// Whether another process has the file open. Seen in WAL mode, in which the ledger and the chat keep theirs
/// (sqlite.org/walformat.html, "WAL-Index Locks": each has a shared lock as long as it is connected).
[[nodiscard]] bool is_in_use(const std::string& path);

/// That it is a sound database, and has `table`.
[[nodiscard]] Result<void> check_database(const std::string& path, std::string_view table);

}  // namespace spillway::telemetry
