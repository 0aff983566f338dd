#include "telemetry/ledger_keep.hpp"

#include "telemetry/sqlite.hpp"

namespace spillway::telemetry {

void LedgerKeep::drop_old(sqlite3* db) {
    constexpr auto pause = std::chrono::minutes(1);
    constexpr int few = 1000;
    const auto now = std::chrono::steady_clock::now();
    if (keep_ == Duration::zero() || now < next_ || db == nullptr) return;
    next_ = now + pause;
    const auto oldest = std::chrono::floor<std::chrono::milliseconds>(wall_now() - keep_);
    auto drop = prepare(db, "DELETE FROM usage WHERE id IN (SELECT id FROM usage WHERE time_ms < ? LIMIT ?)");
    if (!drop) return;
    sqlite3_bind_int64(drop->get(), 1, oldest.time_since_epoch().count());
    sqlite3_bind_int(drop->get(), 2, few);
    const bool done = sqlite3_step(drop->get()) == SQLITE_DONE;
    if (done && sqlite3_changes(db) == few) next_ = now;
}

}  // namespace spillway::telemetry
