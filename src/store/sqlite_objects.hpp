#pragma once
/// An ObjectStore in an SQLite file. Thread rule and errors: as its interface says.
#include <string>

#include "store/object_store.hpp"

namespace spillway::store {

[[nodiscard]] OpenObjects sqlite_objects(std::string path);

}  // namespace spillway::store
