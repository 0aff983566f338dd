#pragma once
/// The store's SQLite file: opened, and brought to this program's schema.
///
/// WAL, synchronous=NORMAL: what was committed outlives a kill of the process. The file holds digests and no
/// keys; it is made readable for its owner alone. Thread rule: a Database belongs to one thread. Errors:
/// SQLite's own words.
#include <string>

#include "telemetry/sqlite.hpp"

namespace spillway::store {

/// Null if there is no such file and it is not to be made. One that cannot be written is opened for reading.
[[nodiscard]] Result<telemetry::Database> open_sqlite_store(const std::string& path, bool create);

/// Whether the file could be written, or made; changes nothing. Errors: why not.
[[nodiscard]] Result<void> can_write_store(const std::string& path);

}  // namespace spillway::store
