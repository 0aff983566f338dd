#include "telemetry/ledger_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "telemetry/sqlite.hpp"

namespace spillway::telemetry {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kMinuteMs = 60'000;

std::int64_t to_ms(Wall t) {
    return std::chrono::floor<std::chrono::milliseconds>(t).time_since_epoch().count();
}

std::string filters(const UsageQuery& q) {
    std::string sql;
    if (!q.client.empty()) sql += " AND client = ?3";
    if (!q.deployment.empty()) sql += " AND deployment = ?4";
    if (!q.backend.empty()) sql += " AND backend = ?5";
    if (!q.user.empty()) sql += " AND user = ?7";
    if (!q.team.empty()) sql += " AND team = ?8";
    if (!q.key.empty()) sql += " AND key = ?9";
    return sql;
}

/// Built from literals alone; all values are bound.
std::string totals_sql(const UsageQuery& q) {
    struct Key {
        bool wanted;
        std::string_view column;
        std::string_view none;
    };
    const std::array<Key, 8> keys{
        {{q.by.hour || q.by.minute, q.by.minute ? "time_ms / 60000" : "time_ms / 3600000", "0"},
         {q.by.client, "client", "''"},
         {q.by.key, "key", "''"},
         {q.by.user, "user", "''"},
         {q.by.team, "team", "''"},
         {q.by.deployment, "deployment", "''"},
         {q.by.backend, "backend", "''"},
         {q.by.model, "model", "''"}}};
    std::string sql = "SELECT ";
    std::string groups;  // by number of the column
    std::string parts;   // by what it is
    int column = 0;
    for (const Key& key : keys) {
        sql += key.wanted ? key.column : key.none;
        sql += ", ";
        ++column;
        if (!key.wanted) continue;
        if (!groups.empty()) groups += ", ";
        groups += std::to_string(column);
        parts += key.column;
        parts += ", ";
    }
    const std::string rows = " FROM usage WHERE time_ms >= ?1 AND time_ms < ?2" + filters(q);
    // By rank among the served, or the refused, of each group.
    const std::string ranked = " FROM (SELECT *, row_number() OVER (PARTITION BY " + parts +
                               "status < 400 ORDER BY took_ms) AS rank,"
                               " count(*) OVER (PARTITION BY " +
                               parts + "status < 400) AS ranks" + rows + ")";
    const auto percentile = [&q](std::string_view percent) {
        return !q.percentiles
                   ? std::string(", NULL")
                   : fmt::format(", min(took_ms) FILTER (WHERE status < 400 AND rank * 100 >= ranks * {})",
                                 percent);
    };
    sql +=
        "count(*), sum(status >= 400), sum(estimated), sum(prompt_tokens), sum(completion_tokens),"
        " sum(cached_tokens), sum(reasoning_tokens), sum(charged_tokens), sum(cost_e7),"
        " avg(took_ms) FILTER (WHERE status < 400),"
        " sum(status = 429 OR (status = 403 AND backend = '')), sum(throttled), sum(spilled), sum(avoided)";
    sql += percentile("50") + percentile("95") + (q.percentiles ? ranked : rows);
    if (!groups.empty()) sql += " GROUP BY " + groups + " ORDER BY " + groups;
    sql += " LIMIT ?6";
    return sql;
}

void bind_text(sqlite3_stmt* s, int index, const std::string& value) {
    // A filter that is not in the statement has nothing to bind to.
    if (!value.empty())
        sqlite3_bind_text(s, index, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
}

std::string text(sqlite3_stmt* s, int column) {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(s, column));
    return data == nullptr ? std::string()
                           : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(s, column)));
}

double figure(sqlite3_stmt* s, int column) {
    return sqlite3_column_type(s, column) == SQLITE_NULL ? UsageTotal::kUnknown
                                                         : sqlite3_column_double(s, column);
}

UsageTotal read_total(sqlite3_stmt* s, std::int64_t unit_ms) {
    const auto count = [s](int column) {
        return static_cast<std::uint64_t>(sqlite3_column_int64(s, column));
    };
    UsageTotal t;
    t.time = Wall(std::chrono::milliseconds(sqlite3_column_int64(s, 0) * unit_ms));
    t.client = text(s, 1);
    t.key = text(s, 2);
    t.user = text(s, 3);
    t.team = text(s, 4);
    t.deployment = text(s, 5);
    t.backend = text(s, 6);
    t.model = text(s, 7);
    t.requests = count(8);
    t.failed = count(9);
    t.estimated = count(10);
    t.prompt_tokens = count(11);
    t.completion_tokens = count(12);
    t.cached_tokens = count(13);
    t.reasoning_tokens = count(14);
    t.charged_tokens = count(15);
    t.cost = count(16);
    t.mean_ms = figure(s, 17);
    t.refused = count(18);
    t.throttled = count(19);
    t.spilled = count(20);
    t.avoided = sqlite3_column_double(s, 21);
    t.p50_ms = figure(s, 22);
    t.p95_ms = figure(s, 23);
    return t;
}

}  // namespace

Result<std::vector<UsageTotal>> query_usage(const std::string& path, const UsageQuery& query) {
    auto db = open_database(path, SQLITE_OPEN_READONLY);
    if (!db) return db.error();
    auto statement = prepare(db->get(), totals_sql(query));
    if (!statement) return statement.error();
    sqlite3_stmt* s = statement->get();
    sqlite3_bind_int64(s, 1, to_ms(query.from));
    sqlite3_bind_int64(s, 2, to_ms(query.to));
    bind_text(s, 3, query.client);
    bind_text(s, 4, query.deployment);
    bind_text(s, 5, query.backend);
    bind_text(s, 7, query.user);
    bind_text(s, 8, query.team);
    bind_text(s, 9, query.key);
    sqlite3_bind_int64(s, 6,
                       static_cast<std::int64_t>(
                           std::min<std::size_t>(query.limit, std::numeric_limits<std::int32_t>::max())));
    const std::int64_t unit_ms = query.by.minute ? kMinuteMs : kHourMs;
    std::vector<UsageTotal> totals;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) totals.push_back(read_total(s, unit_ms));
    if (rc != SQLITE_DONE) return fail(path + ": " + sqlite3_errmsg(db->get()));
    return totals;
}

}  // namespace spillway::telemetry
