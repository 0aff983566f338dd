#include "store/postgres_schema.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <span>

namespace spillway::store {
namespace {

/// Append only: a released step is never edited, a change is a new step. What names things is bytea: what a
/// token calls its team need not be UTF-8, and no collation has a say in what is equal.
constexpr auto kFirst = std::to_array<const char*>({
    "CREATE TABLE spillway_objects ("
    "id bytea PRIMARY KEY, resource bytea NOT NULL, client bytea NOT NULL, team bytea NOT NULL, "
    "expires bigint NOT NULL)",
    "CREATE INDEX spillway_objects_expire ON spillway_objects (expires) WHERE expires > 0",
    "CREATE TABLE spillway_places ("
    "number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "client bytea NOT NULL, team bytea NOT NULL, resource bytea NOT NULL, "
    "UNIQUE (client, team, resource))",
    "CREATE TABLE spillway_key_store ("
    "only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), "
    "secret bytea NOT NULL, version bigint NOT NULL)",
    "CREATE TABLE spillway_keys ("
    "id text PRIMARY KEY, settings text NOT NULL, made bigint NOT NULL, expires bigint NOT NULL, "
    "revoked bigint NOT NULL, version bigint NOT NULL)",
    "CREATE INDEX spillway_keys_version ON spillway_keys (version)",
    "CREATE TABLE spillway_key_macs ("
    "mac bytea PRIMARY KEY, key text NOT NULL, made bigint NOT NULL, ends bigint NOT NULL)",
    "CREATE INDEX spillway_key_macs_key ON spillway_key_macs (key)",
});
constexpr auto kModes = std::to_array<const char*>({
    "CREATE TABLE spillway_backend_modes ("
    "backend bytea PRIMARY KEY, mode text NOT NULL, who bytea NOT NULL, since bigint NOT NULL, "
    "version bigint NOT NULL)",
});
constexpr std::array<std::span<const char* const>, 2> kSchema{kFirst, kModes};
constexpr auto kVersion = static_cast<std::int64_t>(kSchema.size());

/// 0: there is none.
Result<std::int64_t> version_of(PostgresConnection& connection) {
    auto there = connection.ask("SELECT (to_regclass('spillway_schema') IS NOT NULL)::int::bigint");
    if (!there) return there.error();
    if (there->size() == 0 || there->number(0, 0) == 0) return std::int64_t{0};
    auto version = connection.ask("SELECT version FROM spillway_schema");
    if (!version) return version.error();
    return version->size() == 0 ? 0 : version->number(0, 0);
}

Result<void> make(PostgresConnection& connection, std::int64_t from) {
    std::array<unsigned char, 32> secret{};
    if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1)
        return fail("there is no randomness for the keys' secret");
    std::vector<PostgresStatement> all{take(PostgresLock::schema)};
    // Either fails if another replica was faster.
    if (from == 0)
        all.push_back({"CREATE TABLE spillway_schema (version bigint NOT NULL)", {}});
    else
        all.push_back(
            {"SELECT 1 / count(*) FROM spillway_schema WHERE version = $1", {PostgresValue::number(from)}});
    for (auto step = static_cast<std::size_t>(from); step < kSchema.size(); ++step)
        for (const char* const sql : kSchema[step]) all.push_back({sql, {}});
    if (from == 0) {
        all.push_back({"INSERT INTO spillway_key_store (secret, version) VALUES ($1, 0)",
                       {PostgresValue::bytes(secret)}});
        all.push_back(
            {"INSERT INTO spillway_schema (version) VALUES ($1)", {PostgresValue::number(kVersion)}});
    } else {
        all.push_back({"UPDATE spillway_schema SET version = $1", {PostgresValue::number(kVersion)}});
    }
    auto done = connection.run(all);
    if (!done) return done.error();
    return {};
}

}  // namespace

PostgresStatement take(PostgresLock lock) {
    return {"SELECT pg_advisory_xact_lock($1)", {PostgresValue::number(static_cast<std::int64_t>(lock))}};
}

Result<void> prepare_postgres(PostgresConnection& connection) {
    auto version = version_of(connection);
    if (!version) return version.error();
    if (*version < kVersion) {
        const auto made = make(connection, *version);
        // If it failed as another replica was faster, all is there by now.
        version = version_of(connection);
        if (!version) return version.error();
        if (*version < kVersion) return made ? Result<void>(fail("the tables are not there")) : made;
    }
    if (*version == kVersion) return {};
    return fail(
        fmt::format("its tables are a newer program's (schema {}, this one knows {})", *version, kVersion));
}

}  // namespace spillway::store
