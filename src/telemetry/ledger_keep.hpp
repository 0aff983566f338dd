#pragma once
/// How long rows of the ledger are kept: drops those that are older, a few at a time, so that no commit waits
/// for many. Thread rule: the ledger's thread. Errors: a turn that fails is tried again a minute later.
#include <sqlite3.h>

#include <chrono>

#include "base/clock.hpp"

namespace spillway::telemetry {

class LedgerKeep {
public:
    explicit LedgerKeep(Duration keep) noexcept : keep_(keep) {}  ///< 0: all rows are kept
    /// A turn, which does nothing within the minute after one that found nothing more.
    void drop_old(sqlite3* db);

private:
    Duration keep_;
    std::chrono::steady_clock::time_point next_;
};

}  // namespace spillway::telemetry
