#include "store/named_store.hpp"

#include "store/postgres_keys.hpp"
#include "store/postgres_objects.hpp"
#include "store/postgres_schema.hpp"
#include "store/sqlite_keys.hpp"
#include "store/sqlite_objects.hpp"

namespace spillway::store {

OpenKeys keys_of(const config::StoreConfig& store) {
    return store.shared() ? postgres_keys(store.url) : sqlite_keys(store.path);
}

OpenObjects objects_of(const config::StoreConfig& store) {
    return store.shared() ? postgres_objects(store.url) : sqlite_objects(store.path);
}

std::string name_of(const config::StoreConfig& store) {
    return store.shared() ? PostgresServer(store.url).name() : store.path;
}

Result<void> can_reach(const config::StoreConfig& store) {
    PostgresConnection connection(std::make_shared<PostgresServer>(store.url));
    return prepare_postgres(connection);
}

}  // namespace spillway::store
