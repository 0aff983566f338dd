#include "store/postgres_objects.hpp"

#include <utility>

#include "store/postgres_schema.hpp"
#include "store/stored_value.hpp"

namespace spillway::store {
namespace {

using Value = PostgresValue;
using What = ObjectChange::What;

/// At once, so that nobody waits for it.
constexpr std::int64_t kExpireAtOnce = 10'000;
/// An index takes no more than 2,704 bytes in one entry. What is longer is kept in memory alone: refused by
/// the database, it would keep all that is written with it from being written.
constexpr std::size_t kMostBytes = 2'000;

bool fits(const ObjectChange& change) noexcept {
    return change.id.size() <= kMostBytes &&
           change.client.size() + change.team.size() + change.resource.size() <= kMostBytes;
}

PostgresStatement statement_of(const ObjectChange& change) {
    const auto id = Value::bytes(change.id);
    const auto resource = Value::bytes(change.resource);
    const auto client = Value::bytes(change.client);
    const auto team = Value::bytes(change.team);
    const auto expires = Value::number(seconds_of(change.expires));
    switch (change.what) {
        case What::made:
            return {
                "INSERT INTO spillway_objects (id, resource, client, team, expires) "
                "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET "
                "resource = excluded.resource, client = excluded.client, team = excluded.team, "
                "expires = excluded.expires",
                {id, resource, client, team, expires}};
        case What::found:
            return {
                "INSERT INTO spillway_objects (id, resource, client, team, expires) "
                "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
                {id, resource, client, team, expires}};
        case What::gone:
            return {"DELETE FROM spillway_objects WHERE id = $1", {id}};
        case What::place:
            break;
    }
    return {
        "INSERT INTO spillway_places (resource, client, team) VALUES ($1, $2, $3) "
        "ON CONFLICT (client, team, resource) DO NOTHING",
        {resource, client, team}};
}

class PostgresObjects final : public ObjectStore {
public:
    explicit PostgresObjects(PostgresConnection connection) : connection_(std::move(connection)) {}

    Result<std::vector<std::optional<ObjectRow>>> find(std::span<const std::string> ids) override {
        std::vector<std::optional<ObjectRow>> out(ids.size());
        std::vector<PostgresStatement> all;
        for (const std::string& id : ids)
            all.push_back(
                {"SELECT resource, client, team FROM spillway_objects WHERE id = $1", {Value::bytes(id)}});
        const auto answers = connection_.run(all);
        if (!answers) return answers.error();
        for (std::size_t i = 0; i < ids.size() && i < answers->size(); ++i) {
            const PostgresRows& rows = (*answers)[i];
            if (rows.size() == 0) continue;
            out[i] = ObjectRow{std::string(rows.bytes(0, 0)),
                               {std::string(rows.bytes(0, 1)), std::string(rows.bytes(0, 2))}};
        }
        return out;
    }

    Result<void> write(std::span<const ObjectChange> changes) override {
        std::vector<PostgresStatement> all{take(PostgresLock::objects)};
        for (const ObjectChange& change : changes)
            if (fits(change)) all.push_back(statement_of(change));
        return done(connection_.run(all));
    }

    Result<std::vector<PlaceRow>> places(std::int64_t after) override {
        auto rows = connection_.ask(
            "SELECT number, client, team, resource FROM spillway_places WHERE number > $1 ORDER BY number",
            {Value::number(after)});
        if (!rows) return rows.error();
        std::vector<PlaceRow> out;
        for (int i = 0; i < rows->size(); ++i)
            out.push_back({rows->number(i, 0),
                           {std::string(rows->bytes(i, 1)), std::string(rows->bytes(i, 2))},
                           std::string(rows->bytes(i, 3))});
        return out;
    }

    Result<void> expire(Wall now) override {
        const std::array<PostgresStatement, 2> all{
            take(PostgresLock::objects),
            {"DELETE FROM spillway_objects WHERE id IN (SELECT id FROM spillway_objects "
             "WHERE expires > 0 AND expires < $1 LIMIT $2)",
             {Value::number(seconds_of(now)), Value::number(kExpireAtOnce)}}};
        return done(connection_.run(all));
    }

private:
    static Result<void> done(const Result<PostgresConnection::Answers>& answers) {
        if (!answers) return answers.error();
        return {};
    }

    PostgresConnection connection_;
};

}  // namespace

OpenObjects postgres_objects(config::Secret url) {
    return open_postgres<ObjectStore, PostgresObjects>(std::move(url));
}

}  // namespace spillway::store
