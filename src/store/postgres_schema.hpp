#pragma once
/// The store's tables in PostgreSQL, made when they are first needed. They are where the role's search_path
/// looks first, and their names begin with `spillway_`.
///
/// Replicas that start together make them once: whoever comes second waits for the first one. Thread rule: as
/// for the connection. Errors: the database's own words, or that the tables are a newer program's.
#include "store/postgres_connection.hpp"

namespace spillway::store {

/// Held by a transaction that writes, up to its end: what a number counts is then seen in that order, and no
/// two replicas wait for each other crosswise.
enum class PostgresLock : std::int64_t { schema = 0x53706c77'0001, objects = 0x53706c77'0002 };
[[nodiscard]] PostgresStatement take(PostgresLock lock);

[[nodiscard]] Result<void> prepare_postgres(PostgresConnection& connection);

/// Opens a Store, which is an Interface, over a connection of its own to tables that are there. All that it
/// opens know of the same server.
template <class Interface, class Store>
[[nodiscard]] auto open_postgres(config::Secret url) {
    return [server = std::make_shared<PostgresServer>(std::move(url))](
               bool /*create*/) -> Result<std::unique_ptr<Interface>> {
        PostgresConnection connection(server);
        if (auto ready = prepare_postgres(connection); !ready) return ready.error();
        return std::unique_ptr<Interface>(std::make_unique<Store>(std::move(connection)));
    };
}

}  // namespace spillway::store
