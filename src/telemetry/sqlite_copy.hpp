#pragma once
/// Copies SQLite files that may be in use, and detects whether they are.
///
/// Thread rule: free functions, safe everywhere. Errors: SQLite's or the system's, with the path.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::telemetry {

/// Makes `to` a complete, consistent copy of `from` at one moment, even while others write to it
/// (sqlite.org/backup.html). Only its owner can read the copy; if it fails there is none. Returns its size in
/// bytes.
[[nodiscard]] Result<std::uint64_t> copy_database(const std::string& from, const std::string& to);

/// Whether another process has the file open. Works in WAL mode, which the ledger and the chat use
/// (sqlite.org/walformat.html, "WAL-Index Locks": each connection holds a shared lock).
[[nodiscard]] bool is_in_use(const std::string& path);

/// Checks that it is an intact database with `table`.
[[nodiscard]] Result<void> check_database(const std::string& path, std::string_view table);

}  // namespace spillway::telemetry
