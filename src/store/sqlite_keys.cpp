#include "store/sqlite_keys.hpp"

#include "store/sqlite_schema.hpp"
#include "store/stored_value.hpp"
#include "telemetry/sqlite.hpp"

namespace spillway::store {
namespace {

using telemetry::Statement;

class Query {
public:
    Query(sqlite3* db, std::string_view sql) : db_(db) {
        auto made = telemetry::prepare(db, sql);
        good_ = made.has_value();
        if (good_) statement_ = std::move(*made);
    }
    Query& bind(std::string_view text) {
        return note(
            sqlite3_bind_text(get(), ++place_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
    }
    Query& bind(std::int64_t number) { return note(sqlite3_bind_int64(get(), ++place_, number)); }
    Query& bind(const Mac& mac) {
        return note(
            sqlite3_bind_blob(get(), ++place_, mac.data(), static_cast<int>(mac.size()), SQLITE_TRANSIENT));
    }
    /// The same statement for the next row of many: what was bound is bound anew.
    Query& again() {
        if (good_) (void)sqlite3_reset(get());
        place_ = 0;
        return *this;
    }
    /// Whether there is a row; good() says whether that is so for want of one.
    bool step() {
        if (!good_) return false;
        const int step = sqlite3_step(get());
        good_ = step == SQLITE_ROW || step == SQLITE_DONE;
        return step == SQLITE_ROW;
    }
    bool run() {
        (void)step();
        return good_;
    }
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool is_null(int column) const { return sqlite3_column_type(get(), column) == SQLITE_NULL; }
    [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(get(), column); }
    [[nodiscard]] std::string text(int column) const {
        const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(get(), column));
        return {text, static_cast<std::size_t>(sqlite3_column_bytes(get(), column))};
    }
    [[nodiscard]] Mac mac(int column) const {
        const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(get(), column));
        return mac_of({bytes, static_cast<std::size_t>(sqlite3_column_bytes(get(), column))});
    }
    [[nodiscard]] Error failure() const { return fail(sqlite3_errmsg(db_)); }

private:
    [[nodiscard]] sqlite3_stmt* get() const noexcept { return statement_.get(); }
    Query& note(int code) {
        good_ = good_ && code == SQLITE_OK;
        return *this;
    }

    sqlite3* db_;
    Statement statement_;
    bool good_ = false;
    int place_ = 0;
};

class SqliteKeys final : public KeyStore {
public:
    explicit SqliteKeys(telemetry::Database db) : db_(std::move(db)) {}

    Result<Mac> secret() override {
        Query query(db_.get(), "SELECT secret FROM key_store");
        if (!query.step()) return query.failure();
        return query.mac(0);
    }

    Result<std::int64_t> version() override {
        Query query(db_.get(), "SELECT version FROM key_store");
        if (!query.step()) return query.failure();
        return query.number(0);
    }

    Result<std::vector<KeyRow>> changed_since(std::int64_t version) override {
        Query query(db_.get(), std::string(kRows) + " WHERE k.version > ?1 ORDER BY k.id, m.made");
        query.bind(version);
        return read(query);
    }

    Result<std::optional<KeyRow>> find(std::string_view id) override {
        Query query(db_.get(), std::string(kRows) + " WHERE k.id = ?1 ORDER BY m.made");
        query.bind(id);
        auto rows = read(query);
        if (!rows) return rows.error();
        if (rows->empty()) return std::optional<KeyRow>();
        return std::optional<KeyRow>(std::move(rows->front()));
    }

    Result<void> put(const std::vector<KeyRow>& rows) override {
        return change([&] { return put_all(rows); });
    }

    Result<std::vector<ModeRow>> modes_changed_since(std::int64_t version) override {
        std::vector<ModeRow> out;
        // A file of an older program that may only be read has none.
        Query there(db_.get(), "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'backend_modes'");
        if (!there.step() && there.good()) return out;
        Query query(db_.get(), "SELECT backend, mode, who, since FROM backend_modes WHERE version > ?1");
        query.bind(version);
        while (query.step())
            out.push_back(
                {query.text(0), query.text(1), query.text(2), time_of(query.number(3)).value_or(Wall())});
        if (!query.good()) return query.failure();
        return out;
    }

    Result<void> put_mode(const ModeRow& row) override {
        return change([&]() -> Result<void> {
            Query put(db_.get(),
                      "INSERT OR REPLACE INTO backend_modes (backend, mode, who, since, version) "
                      "VALUES (?1, ?2, ?3, ?4, (SELECT version FROM key_store))");
            put.bind(row.backend).bind(row.mode).bind(row.who).bind(milliseconds_of(row.since));
            if (!put.run()) return put.failure();
            return {};
        });
    }

private:
    // A key and its secrets in one statement are of one moment.
    static constexpr std::string_view kRows =
        "SELECT k.id, k.settings, k.made, k.expires, k.revoked, m.mac, m.made, m.ends "
        "FROM keys k LEFT JOIN key_macs m ON m.key = k.id";

    static Result<std::vector<KeyRow>> read(Query& query) {
        std::vector<KeyRow> out;
        while (query.step()) {
            if (std::string id = query.text(0); out.empty() || out.back().id != id) {
                KeyRow& row = out.emplace_back();
                row.id = std::move(id);
                row.settings = query.text(1);
                row.made = time_of(query.number(2)).value_or(Wall());
                row.expires = time_of(query.number(3));
                row.revoked = time_of(query.number(4));
            }
            if (!query.is_null(5))
                out.back().macs.push_back(
                    {query.mac(5), time_of(query.number(6)).value_or(Wall()), time_of(query.number(7))});
        }
        if (!query.good()) return query.failure();
        return out;
    }

    /// All of it or nothing, under the next version.
    template <class Write>
    Result<void> change(Write write) {
        if (auto begun = telemetry::execute(db_.get(), "BEGIN IMMEDIATE"); !begun) return begun;
        auto done = telemetry::execute(db_.get(), "UPDATE key_store SET version = version + 1");
        if (done) done = write();
        if (done) done = telemetry::execute(db_.get(), "COMMIT");
        if (!done) static_cast<void>(telemetry::execute(db_.get(), "ROLLBACK"));
        return done;
    }

    Result<void> put_all(const std::vector<KeyRow>& rows) {
        Query key(db_.get(),
                  "INSERT OR REPLACE INTO keys (id, settings, made, expires, revoked, version) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, (SELECT version FROM key_store))");
        Query old(db_.get(), "DELETE FROM key_macs WHERE key = ?1");
        Query put(db_.get(), "INSERT INTO key_macs (mac, key, made, ends) VALUES (?1, ?2, ?3, ?4)");
        for (const KeyRow& row : rows) {
            key.again().bind(row.id).bind(row.settings).bind(milliseconds_of(row.made));
            if (!key.bind(milliseconds_of(row.expires)).bind(milliseconds_of(row.revoked)).run())
                return key.failure();
            if (!old.again().bind(row.id).run()) return old.failure();
            for (const KeyMacRow& mac : row.macs) {
                put.again().bind(mac.mac).bind(row.id);
                if (put.bind(milliseconds_of(mac.made)).bind(milliseconds_of(mac.ends)).run()) continue;
                if (sqlite3_errcode(db_.get()) == SQLITE_CONSTRAINT) return fail(std::string(kMacTaken));
                return put.failure();
            }
        }
        return {};
    }

    telemetry::Database db_;
};

}  // namespace

OpenKeys sqlite_keys(std::string path) {
    return [path = std::move(path)](bool create) -> Result<std::unique_ptr<KeyStore>> {
        auto db = open_sqlite_store(path, create);
        if (!db) return db.error();
        if (!*db) return std::unique_ptr<KeyStore>();
        return std::unique_ptr<KeyStore>(std::make_unique<SqliteKeys>(std::move(*db)));
    };
}

}  // namespace spillway::store
