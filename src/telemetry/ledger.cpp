#include "telemetry/ledger.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/block_signals.hpp"
#include "base/file_descriptor.hpp"
#include "base/utf8.hpp"
#include "telemetry/ledger_keep.hpp"
#include "telemetry/sqlite.hpp"

namespace spillway::telemetry {
namespace {

/// Append only: a released step is never edited, a change is a new step.
constexpr std::array<const char*, 4> kSchema{R"sql(
CREATE TABLE usage (
    id INTEGER PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    client TEXT NOT NULL,
    backend TEXT NOT NULL,
    deployment TEXT NOT NULL,
    model TEXT NOT NULL,
    operation TEXT NOT NULL,
    status INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    took_ms REAL NOT NULL
) STRICT;
CREATE INDEX usage_time ON usage (time_ms);
)sql",
                                             R"sql(
ALTER TABLE usage ADD COLUMN user TEXT NOT NULL DEFAULT '';
ALTER TABLE usage ADD COLUMN team TEXT NOT NULL DEFAULT '';
ALTER TABLE usage ADD COLUMN charged_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN cost_e7 INTEGER NOT NULL DEFAULT 0;
UPDATE usage SET charged_tokens = prompt_tokens + completion_tokens;
CREATE TABLE ledger (id TEXT NOT NULL) STRICT;
INSERT INTO ledger (id) VALUES (lower(hex(randomblob(8))));
)sql",
                                             R"sql(
ALTER TABLE usage ADD COLUMN throttled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN avoided REAL NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN spilled INTEGER NOT NULL DEFAULT 0;
)sql",
                                             R"sql(
ALTER TABLE usage ADD COLUMN key TEXT NOT NULL DEFAULT '';
)sql"};

constexpr const char* kInsert =
    "INSERT INTO usage (time_ms, request_id, client, key, user, team, backend, deployment, model, operation, "
    "status,"
    " prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, charged_tokens, cost_e7, estimated,"
    " throttled, spilled, avoided, took_ms) VALUES"
    " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr std::size_t kTexts = 9;
/// A count above this is a backend's nonsense; capped so that sums over many rows cannot overflow.
constexpr std::uint64_t kMaxTokens = 1'000'000'000'000;

struct StoredRow {
    std::int64_t time_ms = 0;
    std::array<std::size_t, kTexts> text_ends{};  ///< in Batch::text, in order
    std::array<std::int64_t, 6> counts{};
    double took_ms = 0;
    double avoided = 0;
    int status = 0;
    std::uint32_t throttled = 0;
    bool estimated = false;
    bool spilled = false;
};

/// Rows with their texts in one arena: refilled without allocation once grown.
struct Batch {
    std::vector<StoredRow> rows;
    std::string text;

    void add(const UsageRow& row) {
        const auto capped = [](std::uint64_t n) {
            return static_cast<std::int64_t>(std::min(n, kMaxTokens));
        };
        StoredRow& s = rows.emplace_back();
        s.time_ms = std::chrono::floor<std::chrono::milliseconds>(row.time).time_since_epoch().count();
        const std::array<std::string_view, kTexts> texts{row.request_id, row.client, row.key,
                                                         row.user,       row.team,   row.backend,
                                                         row.deployment, row.model,  row.operation};
        for (std::size_t i = 0; i < kTexts; ++i) {
            append_utf8(text, texts[i]);
            s.text_ends[i] = text.size();
        }
        s.counts = {capped(row.prompt_tokens),    capped(row.completion_tokens), capped(row.cached_tokens),
                    capped(row.reasoning_tokens), capped(row.charged_tokens),    capped(row.cost)};
        s.took_ms = std::chrono::duration<double, std::milli>(row.took).count();
        s.status = row.status;
        s.estimated = row.estimated;
        s.throttled = row.throttled;
        s.avoided = row.avoided;
        s.spilled = row.spilled;
    }
    void clear() noexcept {
        rows.clear();
        text.clear();
    }
};

struct LedgerFile {
    Database db;
    Statement insert;
    std::string id;

    [[nodiscard]] bool is_open() const noexcept { return db != nullptr; }
    void close() noexcept {
        insert.reset();
        db.reset();
    }
    /// It was deleted, or another lies in its place: what is written to it is lost.
    [[nodiscard]] bool is_gone() const noexcept {
        int moved = 0;
        return sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
               moved != 0;
    }
};

Result<std::string> read_id(sqlite3* db) {
    auto statement = prepare(db, "SELECT id FROM ledger");
    if (!statement) return statement.error();
    if (sqlite3_step(statement->get()) != SQLITE_ROW) return fail("the ledger has no id");
    return std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement->get(), 0)));
}

Result<LedgerFile> open_file(const std::string& path) {
    // SQLite would make it readable for all; what it makes beside it takes this one's mode.
    FileDescriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640)).reset();
    LedgerFile out;
    auto db = open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!db) return db.error();
    if (auto set = use_write_ahead_log(db->get()); !set) return set.error();
    if (auto migrated = migrate(db->get(), kSchema); !migrated) return migrated.error();
    auto insert = prepare(db->get(), kInsert);
    if (!insert) return insert.error();
    auto id = read_id(db->get());
    if (!id) return id.error();
    return LedgerFile{std::move(*db), std::move(*insert), std::move(*id)};
}

}  // namespace

struct Ledger::Slot {
    Slot(std::size_t most, std::atomic<std::uint64_t>& dropped) : max_rows(most), dropped_rows(dropped) {}
    const std::size_t max_rows;
    std::atomic<std::uint64_t>& dropped_rows;
    std::mutex mutex;
    Batch filling;        ///< under mutex
    bool closed = false;  ///< under mutex
    Batch draining;       ///< the ledger's thread only; kept until its commit succeeded
};

class Ledger::Impl {
public:
    Impl(std::string path, LedgerFile file, LedgerOptions options)
        : options_(options), path_(std::move(path)), id_(file.id), file_(std::move(file)), thread_([this] {
              run();
          }) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    std::shared_ptr<Slot> make_slot() {
        auto slot = std::make_shared<Slot>(options_.max_rows, dropped_);
        const std::lock_guard lock(mutex_);
        slots_.push_back(slot);
        return slot;
    }

    void sync() {
        std::unique_lock lock(mutex_);
        const std::uint64_t mine = ++sync_wanted_;
        wake_.notify_one();
        done_.wait(lock, [&] { return sync_done_ >= mine; });
    }

    [[nodiscard]] const std::string& id() const noexcept { return id_; }

    Stats stats() const noexcept {
        return {committed_.load(std::memory_order_relaxed), dropped_.load(std::memory_order_relaxed),
                failed_.load(std::memory_order_relaxed)};
    }

    Health health;

private:
    void run();
    bool ready_file();
    bool commit_slots(bool& held_back);
    bool insert_all(const Batch& batch);
    bool insert_row(const Batch& batch, std::size_t begin, const StoredRow& row);

    const LedgerOptions options_;
    const std::string path_;
    const std::string id_;
    LedgerFile file_;
    LedgerKeep keep_{options_.keep};
    std::chrono::steady_clock::time_point looked_at_;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<std::shared_ptr<Slot>> slots_;
    std::uint64_t sync_wanted_ = 0;
    std::uint64_t sync_done_ = 0;
    bool stop_ = false;

    std::vector<std::shared_ptr<Slot>> working_;  ///< the thread's copy of slots_
    std::atomic<std::uint64_t> committed_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::thread thread_;
};

void Ledger::Impl::run() {
    block_signals();
    std::unique_lock lock(mutex_);
    for (bool last = false; !last;) {
        // Counted from before the commit, so that its own time does not stretch the interval.
        const auto next = std::chrono::steady_clock::now() + options_.interval;
        last = stop_;
        const std::uint64_t sync = sync_wanted_;
        working_ = slots_;
        lock.unlock();

        bool held_back = false;
        const bool ok = commit_slots(held_back);
        if (ok && held_back) commit_slots(held_back);
        if (ok && !last) keep_.drop_old(file_.db.get());

        lock.lock();
        std::erase_if(slots_, [](const auto& slot) {
            const std::lock_guard slot_lock(slot->mutex);
            return slot->closed && slot->filling.rows.empty() && slot->draining.rows.empty();
        });
        sync_done_ = sync;
        done_.notify_all();
        if (!last) wake_.wait_until(lock, next, [&] { return stop_ || sync_wanted_ != sync_done_; });
    }
}

/// Is there a file to write to? Opens a new one where the old is gone.
bool Ledger::Impl::ready_file() {
    constexpr auto pause = std::chrono::milliseconds(500);
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_at_ < pause) return file_.is_open();
    looked_at_ = now;
    if (file_.is_open()) {
        if (!file_.is_gone()) return true;
        file_.close();  // takes its write-ahead log with it, before a new one is begun
    }
    auto opened = open_file(path_);
    if (!opened) {
        health.fails(opened.error().message);
        return false;
    }
    file_ = std::move(*opened);
    health.works_anew("it was deleted or replaced while in use; the rows to come are in the new file");
    return true;
}

/// One transaction over all slots. `held_back` is set if a slot still held rows of a failed commit, so that
/// its newer ones have to wait for another turn.
bool Ledger::Impl::commit_slots(bool& held_back) {
    held_back = false;
    std::uint64_t rows = 0;
    for (const auto& slot : working_) {
        if (slot->draining.rows.empty()) {
            const std::lock_guard lock(slot->mutex);
            std::swap(slot->filling, slot->draining);
        } else {
            held_back = true;
        }
        rows += slot->draining.rows.size();
    }
    const bool ready = ready_file();
    if (rows == 0) return true;
    sqlite3* const db = file_.db.get();
    bool ok = ready && execute(db, "BEGIN IMMEDIATE").has_value();
    for (const auto& slot : working_) ok = ok && insert_all(slot->draining);
    ok = ok && execute(db, "COMMIT").has_value();
    if (!ok) {
        failed_.fetch_add(1, std::memory_order_relaxed);
        if (!ready) return false;
        health.fails(sqlite3_errmsg(db));
        if (sqlite3_get_autocommit(db) == 0) static_cast<void>(execute(db, "ROLLBACK"));
        return false;
    }
    health.works();
    committed_.fetch_add(rows, std::memory_order_relaxed);
    for (const auto& slot : working_) slot->draining.clear();
    return true;
}

bool Ledger::Impl::insert_all(const Batch& batch) {
    std::size_t begin = 0;
    for (const StoredRow& row : batch.rows) {
        if (!insert_row(batch, begin, row)) return false;
        begin = row.text_ends.back();
    }
    return true;
}

bool Ledger::Impl::insert_row(const Batch& batch, std::size_t begin, const StoredRow& row) {
    sqlite3_stmt* s = file_.insert.get();
    int column = 1;
    bool ok = sqlite3_bind_int64(s, column++, row.time_ms) == SQLITE_OK;
    for (const std::size_t end : row.text_ends) {
        // The arena stays untouched until the statement is reset: no copy.
        ok = ok && sqlite3_bind_text(s, column++, batch.text.data() + begin, static_cast<int>(end - begin),
                                     SQLITE_STATIC) == SQLITE_OK;
        begin = end;
    }
    ok = ok && sqlite3_bind_int(s, column++, row.status) == SQLITE_OK;
    for (const std::int64_t n : row.counts) ok = ok && sqlite3_bind_int64(s, column++, n) == SQLITE_OK;
    ok = ok && sqlite3_bind_int(s, column++, row.estimated ? 1 : 0) == SQLITE_OK;
    ok = ok && sqlite3_bind_int64(s, column++, row.throttled) == SQLITE_OK;
    ok = ok && sqlite3_bind_int(s, column++, row.spilled ? 1 : 0) == SQLITE_OK;
    ok = ok && sqlite3_bind_double(s, column++, row.avoided) == SQLITE_OK;
    ok = ok && sqlite3_bind_double(s, column, row.took_ms) == SQLITE_OK;
    ok = ok && sqlite3_step(s) == SQLITE_DONE;
    sqlite3_reset(s);
    return ok;
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::open(const std::string& path, LedgerOptions options) {
    auto file = open_file(path);
    if (!file) return file.error();
    return std::unique_ptr<Ledger>(new Ledger(std::make_unique<Impl>(path, std::move(*file), options)));
}

Ledger::Writer Ledger::make_writer() {
    return Writer(impl_->make_slot());
}
void Ledger::sync() {
    impl_->sync();
}
const std::string& Ledger::id() const noexcept {
    return impl_->id();
}
std::optional<Health::Change> Ledger::change() {
    return impl_->health.change();
}
Ledger::Stats Ledger::stats() const noexcept {
    return impl_->stats();
}

Ledger::Writer::Writer(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}
Ledger::Writer::Writer(Writer&&) noexcept = default;

Ledger::Writer::~Writer() {
    if (slot_ == nullptr) return;
    const std::lock_guard lock(slot_->mutex);
    slot_->closed = true;
}

void Ledger::Writer::append(const UsageRow& row) {
    const std::lock_guard lock(slot_->mutex);
    if (slot_->filling.rows.size() >= slot_->max_rows)
        slot_->dropped_rows.fetch_add(1, std::memory_order_relaxed);
    else
        slot_->filling.add(row);
}

}  // namespace spillway::telemetry
