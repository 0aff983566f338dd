#pragma once
/// The setting `auth` of a backend: a kind alone, or a map. See config/settings.hpp.
#include <optional>

#include "config/backend.hpp"
#include "config/fields.hpp"

namespace spillway::config {

[[nodiscard]] SettingInfo auth_info();
/// Call after url and api_key have been read.
void read_auth(yaml::MapReader& reader, BackendConfig& backend);
[[nodiscard]] std::optional<Value> show_auth(const BackendConfig& backend);

}  // namespace spillway::config
