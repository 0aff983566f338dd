#include "store/sqlite_objects.hpp"

#include "store/sqlite_schema.hpp"
#include "store/stored_value.hpp"
#include "telemetry/sqlite.hpp"

namespace spillway::store {
namespace {

using telemetry::Statement;

/// At once, so that nobody waits for it.
constexpr int kExpireAtOnce = 10'000;

std::string text_of(const Statement& s, int column) {
    const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(s.get(), column));
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(s.get(), column))};
}

class SqliteObjects final : public ObjectStore {
public:
    explicit SqliteObjects(telemetry::Database db) : db_(std::move(db)) {}

    Result<void> prepare() {
        const auto make = [&](Statement& out, std::string_view sql) -> Result<void> {
            auto made = telemetry::prepare(db_.get(), sql);
            if (!made) return made.error();
            out = std::move(*made);
            return {};
        };
        for (auto& [statement, sql] :
             {std::pair<Statement&, const char*>{find_,
                                                 "SELECT resource, client, team FROM objects WHERE id = ?1"},
              {made_,
               "INSERT OR REPLACE INTO objects (id, resource, client, team, expires) "
               "VALUES (?1, ?2, ?3, ?4, ?5)"},
              {found_,
               "INSERT OR IGNORE INTO objects (id, resource, client, team, expires) "
               "VALUES (?1, ?2, ?3, ?4, ?5)"},
              {gone_, "DELETE FROM objects WHERE id = ?1"},
              {place_, "INSERT OR IGNORE INTO places (resource, client, team) VALUES (?2, ?3, ?4)"},
              {expire_,
               "DELETE FROM objects WHERE id IN (SELECT id FROM objects WHERE expires > 0 AND "
               "expires < ?1 LIMIT ?2)"}})
            if (auto done = make(statement, sql); !done) return done;
        return {};
    }

    Result<std::vector<std::optional<ObjectRow>>> find(std::span<const std::string> ids) override {
        std::vector<std::optional<ObjectRow>> out(ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const Reset reset{find_};
            if (!bind(find_, 1, ids[i])) return failure();
            const int step = sqlite3_step(find_.get());
            if (step == SQLITE_ROW)
                out[i] = ObjectRow{text_of(find_, 0), {text_of(find_, 1), text_of(find_, 2)}};
            else if (step != SQLITE_DONE)
                return failure();
        }
        return out;
    }

    Result<void> write(std::span<const ObjectChange> changes) override {
        if (auto begun = telemetry::execute(db_.get(), "BEGIN IMMEDIATE"); !begun) return begun;
        for (const ObjectChange& change : changes)
            if (!apply(change)) {
                const Error why = failure();
                static_cast<void>(telemetry::execute(db_.get(), "ROLLBACK"));
                return why;
            }
        auto done = telemetry::execute(db_.get(), "COMMIT");
        if (!done) static_cast<void>(telemetry::execute(db_.get(), "ROLLBACK"));
        return done;
    }

    Result<std::vector<PlaceRow>> places(std::int64_t after) override {
        auto all = telemetry::prepare(
            db_.get(), "SELECT number, client, team, resource FROM places WHERE number > ?1 ORDER BY number");
        if (!all) return all.error();
        if (sqlite3_bind_int64(all->get(), 1, after) != SQLITE_OK) return failure();
        std::vector<PlaceRow> out;
        int step = sqlite3_step(all->get());
        for (; step == SQLITE_ROW; step = sqlite3_step(all->get()))
            out.push_back({sqlite3_column_int64(all->get(), 0),
                           {text_of(*all, 1), text_of(*all, 2)},
                           text_of(*all, 3)});
        if (step != SQLITE_DONE) return failure();
        return out;
    }

    Result<void> expire(Wall now) override {
        const Reset reset{expire_};
        const bool done = sqlite3_bind_int64(expire_.get(), 1, seconds_of(now)) == SQLITE_OK &&
                          sqlite3_bind_int(expire_.get(), 2, kExpireAtOnce) == SQLITE_OK &&
                          sqlite3_step(expire_.get()) == SQLITE_DONE;
        if (!done) return failure();
        return {};
    }

private:
    struct Reset {
        const Statement& statement;
        ~Reset() { sqlite3_reset(statement.get()); }
    };

    [[nodiscard]] Error failure() const { return fail(sqlite3_errmsg(db_.get())); }

    /// An empty text is no NULL, wherever it points.
    static bool bind(const Statement& s, int place, std::string_view text) {
        return sqlite3_bind_text(s.get(), place, text.empty() ? "" : text.data(),
                                 static_cast<int>(text.size()), SQLITE_STATIC) == SQLITE_OK;
    }

    bool apply(const ObjectChange& change) {
        using What = ObjectChange::What;
        const Statement& s = change.what == What::made    ? made_
                             : change.what == What::found ? found_
                             : change.what == What::gone  ? gone_
                                                          : place_;
        const Reset reset{s};
        bool good = change.what == What::place || bind(s, 1, change.id);
        if (change.what != What::gone)
            good =
                good && bind(s, 2, change.resource) && bind(s, 3, change.client) && bind(s, 4, change.team);
        if (change.what == What::made || change.what == What::found)
            good = good && sqlite3_bind_int64(s.get(), 5, seconds_of(change.expires)) == SQLITE_OK;
        return good && sqlite3_step(s.get()) == SQLITE_DONE;
    }

    telemetry::Database db_;
    Statement find_;
    Statement made_;
    Statement found_;
    Statement gone_;
    Statement place_;
    Statement expire_;
};

}  // namespace

OpenObjects sqlite_objects(std::string path) {
    return [path = std::move(path)](bool create) -> Result<std::unique_ptr<ObjectStore>> {
        auto db = open_sqlite_store(path, create);
        if (!db) return db.error();
        if (!*db) return std::unique_ptr<ObjectStore>();
        auto store = std::make_unique<SqliteObjects>(std::move(*db));
        if (auto ready = store->prepare(); !ready) return ready.error();
        return std::unique_ptr<ObjectStore>(std::move(store));
    };
}

}  // namespace spillway::store
