#pragma once
/// A KeyStore in PostgreSQL, which replicas share. Thread rule and errors: as its interface says.
#include "config/secret.hpp"
#include "store/key_store.hpp"

namespace spillway::store {

/// The tables are made when it is first opened, whatever `create` says.
[[nodiscard]] OpenKeys postgres_keys(config::Secret url);

}  // namespace spillway::store
