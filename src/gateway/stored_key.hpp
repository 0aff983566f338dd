#pragma once
/// The settings of a key as the store has them. With 100,000 keys a start reads as many, so what
/// config::key_settings_json() wrote is read straight through; anything else (another version's, a file that
/// somebody has edited) is read as a request is, which says what is wrong with it.
///
/// Ownership: values. Thread rule: any thread. Errors: in Loaded::problems.
#include <optional>
#include <string_view>

#include "config/key_settings.hpp"

namespace spillway::gateway {

/// Nothing: not as config::key_settings_json() writes it.
[[nodiscard]] std::optional<config::KeySettings> read_plain_settings(std::string_view json);
[[nodiscard]] config::Loaded<config::KeySettings> read_stored_settings(std::string_view json);

}  // namespace spillway::gateway
