#pragma once
/// The store that a configuration names: an SQLite file, or a PostgreSQL database that replicas share.
///
/// Thread rule: any. Errors: why it cannot be used, without the URL's password.
#include <string>

#include "config/gateway.hpp"
#include "store/key_store.hpp"
#include "store/object_store.hpp"

namespace spillway::store {

[[nodiscard]] OpenKeys keys_of(const config::StoreConfig& store);
[[nodiscard]] OpenObjects objects_of(const config::StoreConfig& store);
/// To show: its path, or `postgresql://host:port/database`.
[[nodiscard]] std::string name_of(const config::StoreConfig& store);
/// Whether PostgreSQL can be reached and has the tables, or may make them: it tries.
[[nodiscard]] Result<void> can_reach(const config::StoreConfig& store);

}  // namespace spillway::store
