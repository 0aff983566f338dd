#include "store/postgres_keys.hpp"

#include <utility>

#include "store/postgres_schema.hpp"
#include "store/stored_value.hpp"

namespace spillway::store {
namespace {

using Value = PostgresValue;

/// A MAC that is another key's: unique_violation.
constexpr std::string_view kUniqueViolation = "23505";

Value moment(const std::optional<Wall>& at) {
    return Value::number(milliseconds_of(at));
}

std::optional<Wall> moment(const PostgresRows& rows, int row, int column) {
    return time_of(rows.number(row, column));
}

// A key and its secrets in one statement are of one moment.
#define SPILLWAY_KEY_ROWS                                                           \
    "SELECT k.id, k.settings, k.made, k.expires, k.revoked, m.mac, m.made, m.ends " \
    "FROM spillway_keys k LEFT JOIN spillway_key_macs m ON m.key = k.id "
constexpr auto kChanged = SPILLWAY_KEY_ROWS "WHERE k.version > $1 ORDER BY k.id, m.made";
constexpr auto kOne = SPILLWAY_KEY_ROWS "WHERE k.id = $1 ORDER BY m.made";
#undef SPILLWAY_KEY_ROWS

/// First in each change. The row stays locked up to the end of the transaction: who comes next waits, and
/// gets a larger number. So no change is seen after one that has a larger number.
constexpr auto kNextVersion = "UPDATE spillway_key_store SET version = version + 1";

std::vector<KeyRow> keys_of(const PostgresRows& rows) {
    std::vector<KeyRow> out;
    for (int i = 0; i < rows.size(); ++i) {
        if (out.empty() || out.back().id != rows.bytes(i, 0)) {
            KeyRow& key = out.emplace_back();
            key.id = rows.bytes(i, 0);
            key.settings = rows.bytes(i, 1);
            key.made = moment(rows, i, 2).value_or(Wall());
            key.expires = moment(rows, i, 3);
            key.revoked = moment(rows, i, 4);
        }
        if (!rows.is_null(i, 5))
            out.back().macs.push_back(
                {mac_of(rows.bytes(i, 5)), moment(rows, i, 6).value_or(Wall()), moment(rows, i, 7)});
    }
    return out;
}

class PostgresKeys final : public KeyStore {
public:
    explicit PostgresKeys(PostgresConnection connection) : connection_(std::move(connection)) {}

    Result<Mac> secret() override {
        auto rows = connection_.ask("SELECT secret FROM spillway_key_store");
        if (!rows) return rows.error();
        if (rows->size() != 1) return fail("the keys' secret is not there");
        return mac_of(rows->bytes(0, 0));
    }

    Result<std::int64_t> version() override {
        auto rows = connection_.ask("SELECT version FROM spillway_key_store");
        if (!rows) return rows.error();
        if (rows->size() != 1) return fail("the keys' version is not there");
        return rows->number(0, 0);
    }

    Result<std::vector<KeyRow>> changed_since(std::int64_t version) override {
        auto rows = connection_.ask(kChanged, {Value::number(version)});
        if (!rows) return rows.error();
        return keys_of(*rows);
    }

    Result<std::optional<KeyRow>> find(std::string_view id) override {
        auto rows = connection_.ask(kOne, {Value::text(id)});
        if (!rows) return rows.error();
        auto keys = keys_of(*rows);
        if (keys.empty()) return std::optional<KeyRow>();
        return std::optional<KeyRow>(std::move(keys.front()));
    }

    Result<void> put(const std::vector<KeyRow>& rows) override {
        std::vector<PostgresStatement> all;
        all.push_back({kNextVersion, {}});
        for (const KeyRow& row : rows) {
            all.push_back(
                {"INSERT INTO spillway_keys (id, settings, made, expires, revoked, version) "
                 "VALUES ($1, $2, $3, $4, $5, (SELECT version FROM spillway_key_store)) "
                 "ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, made = excluded.made, "
                 "expires = excluded.expires, revoked = excluded.revoked, version = excluded.version",
                 {Value::text(row.id), Value::text(row.settings), moment(row.made), moment(row.expires),
                  moment(row.revoked)}});
            all.push_back({"DELETE FROM spillway_key_macs WHERE key = $1", {Value::text(row.id)}});
            for (const KeyMacRow& one : row.macs)
                all.push_back(
                    {"INSERT INTO spillway_key_macs (mac, key, made, ends) VALUES ($1, $2, $3, $4)",
                     {Value::bytes(one.mac), Value::text(row.id), moment(one.made), moment(one.ends)}});
        }
        auto done = connection_.run(all);
        if (done) return {};
        if (connection_.last_state() == kUniqueViolation) return fail(std::string(kMacTaken));
        return done.error();
    }

    Result<std::vector<ModeRow>> modes_changed_since(std::int64_t version) override {
        auto rows =
            connection_.ask("SELECT backend, mode, who, since FROM spillway_backend_modes WHERE version > $1",
                            {Value::number(version)});
        if (!rows) return rows.error();
        std::vector<ModeRow> out;
        for (int i = 0; i < rows->size(); ++i)
            out.push_back({std::string(rows->bytes(i, 0)), std::string(rows->bytes(i, 1)),
                           std::string(rows->bytes(i, 2)), moment(*rows, i, 3).value_or(Wall())});
        return out;
    }

    Result<void> put_mode(const ModeRow& row) override {
        const std::vector<PostgresStatement> all{
            {kNextVersion, {}},
            {"INSERT INTO spillway_backend_modes (backend, mode, who, since, version) "
             "VALUES ($1, $2, $3, $4, (SELECT version FROM spillway_key_store)) "
             "ON CONFLICT (backend) DO UPDATE SET mode = excluded.mode, who = excluded.who, "
             "since = excluded.since, version = excluded.version",
             {Value::bytes(row.backend), Value::text(row.mode), Value::bytes(row.who), moment(row.since)}}};
        if (auto done = connection_.run(all); !done) return done.error();
        return {};
    }

private:
    PostgresConnection connection_;
};

}  // namespace

OpenKeys postgres_keys(config::Secret url) {
    return open_postgres<KeyStore, PostgresKeys>(std::move(url));
}

}  // namespace spillway::store
