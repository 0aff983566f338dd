#pragma once
/// The usage ledger: one SQLite row per answered request, for accounts and budgets.
///
/// A worker's Writer.append() copies the row into the Writer's slot, under that slot's own lock, which only
/// the ledger's thread also takes, once per interval. That thread commits all slots in one transaction every
/// `interval` (WAL, synchronous=NORMAL). What was committed survives a kill -9 of the process, so at
/// most the rows of the last interval (and the commit in progress) are lost.
/// A power failure may lose more, since NORMAL does not fsync each commit (sqlite.org/pragma.html).
/// If a commit fails (disk full, locked), its rows are kept and retried at the next interval; a slot with
/// `max_rows` drops and counts new rows. A file that is deleted or replaced while open is noticed within a
/// second, and a new one is started. Rows older than `keep` are dropped between commits; their room in the
/// file is used again. Ownership: the Ledger must outlive its Writers. Rows are views, which append() copies.
/// Thread rule: Ledger's functions from any thread; a Writer from one thread at a time.
/// Errors: open() returns why the file cannot be used.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "telemetry/health.hpp"

namespace spillway::telemetry {

struct UsageRow {
    Wall time;
    std::string_view request_id;
    std::string_view client;
    std::string_view key{};  ///< id of the key, if it was made at run time
    std::string_view user;   ///< empty: not known (also team)
    std::string_view team;
    std::string_view backend;
    std::string_view deployment;
    std::string_view model;
    std::string_view operation;
    int status = 0;
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
    std::uint64_t cached_tokens = 0;     ///< of the prompt
    std::uint64_t reasoning_tokens = 0;  ///< of the completion
    std::uint64_t charged_tokens = 0;    ///< weighted, as quotas count them
    std::uint64_t cost = 0;              ///< in 10⁻⁷ of the currency
    std::uint32_t throttled = 0;         ///< 429s received from backends
    double avoided = 0;                  ///< 429s avoided, see routing::Choice::avoided
    bool spilled = false;                ///< not served by the first choice
    bool estimated = false;              ///< the backend reported no usage
    Duration took{};
};

struct LedgerOptions {
    std::chrono::milliseconds interval{100};
    std::size_t max_rows = 100'000;  ///< waiting in one slot
    Duration keep{};                 ///< older rows are dropped, a few at a time; 0: none are
};

class Ledger {
public:
    struct Stats {
        std::uint64_t committed_rows = 0;
        std::uint64_t dropped_rows = 0;
        std::uint64_t failed_commits = 0;
    };
    class Writer;

    /// Opens or creates the file (mode 0640), migrating its schema, and starts the thread.
    [[nodiscard]] static Result<std::unique_ptr<Ledger>> open(const std::string& path,
                                                              LedgerOptions options = {});
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;
    /// Commits what was appended, then ends the thread.
    ~Ledger();

    [[nodiscard]] Writer make_writer();
    /// Waits until the rows appended before the call are committed, or an attempt to do so has failed.
    void sync();
    [[nodiscard]] Stats stats() const noexcept;
    /// A change of whether rows can be committed, since the last call.
    [[nodiscard]] std::optional<Health::Change> change();
    /// Stored in the file: identifies this ledger's part of what several gateways count together.
    [[nodiscard]] const std::string& id() const noexcept;

private:
    struct Slot;
    class Impl;
    explicit Ledger(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

class Ledger::Writer {
public:
    Writer(Writer&&) noexcept;
    Writer& operator=(Writer&&) = delete;
    ~Writer();
    void append(const UsageRow& row);

private:
    friend class Ledger;
    explicit Writer(std::shared_ptr<Slot> slot);
    std::shared_ptr<Slot> slot_;
};

}  // namespace spillway::telemetry
