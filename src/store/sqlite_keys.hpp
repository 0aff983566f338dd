#pragma once
/// A KeyStore in an SQLite file. Thread rule and errors: as its interface says.
#include <string>

#include "store/key_store.hpp"

namespace spillway::store {

[[nodiscard]] OpenKeys sqlite_keys(std::string path);

}  // namespace spillway::store
