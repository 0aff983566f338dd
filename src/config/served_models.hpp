#pragma once
/// Which deployments or models a backend serves according to its configuration.
/// Thread rule: free functions, safe everywhere. Errors: none.
#include <string_view>

#include "config/backend.hpp"

namespace spillway::config {

/// `*` matches any text, `?` any single character, everything else itself; case-sensitive.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text) noexcept;

/// Whether the backend may serve `requested`: yes if it lists no models, if the request names none, or if
/// `deployments` maps the name; otherwise if the list has the name, as requested or as mapped.
[[nodiscard]] bool serves(const BackendConfig& backend, std::string_view requested) noexcept;

}  // namespace spillway::config
