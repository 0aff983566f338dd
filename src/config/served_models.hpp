#pragma once
/// Which deployments or models a backend serves, as far as its configuration says.
/// Thread rule: free functions, safe everywhere. Errors: none.
#include <string_view>

#include "config/backend.hpp"

namespace spillway::config {

/// `*` stands for any text, `?` for any one character, all else for itself; upper and lower case differ.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text) noexcept;

/// May the backend be asked for `requested`? Yes without a list of models, for a request that names none, and
/// for what `deployments` maps; else if the name, as asked or as this backend calls it, is in the list.
[[nodiscard]] bool serves(const BackendConfig& backend, std::string_view requested) noexcept;

}  // namespace spillway::config
