#pragma once
/// An ObjectStore in PostgreSQL, which replicas share. Thread rule and errors: as its interface says.
#include "config/secret.hpp"
#include "store/object_store.hpp"

namespace spillway::store {

/// The tables are made when it is first opened, whatever `create` says.
[[nodiscard]] OpenObjects postgres_objects(config::Secret url);

}  // namespace spillway::store
