#pragma once
/// What `up`, `down` and `env` have in common: which stack is meant, its folder, its settings.
///
/// Thread rule: for one thread. Errors: messages for the user.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "app/stack_folder.hpp"
#include "app/stack_settings.hpp"

namespace spillway::app::stack {

struct Common {
    std::string name;  ///< of the stack
};
/// Adds `-e, --environment` (or $SPILLWAY_ENV_NAME), "local" by default.
[[nodiscard]] std::shared_ptr<Common> add_common(CLI::App& verb);

[[nodiscard]] Result<Folder> folder_of(const Common& common);
/// Made if it is not there; then held for this command alone. Says if it has to wait for another.
[[nodiscard]] Result<Lock> make_and_lock(const Folder& folder);
[[nodiscard]] Result<Lock> lock_existing(const Folder& folder);

/// The stored values, with a key for the client, made and stored at the first time. Needs the lock.
[[nodiscard]] Result<Values> values_with_key(const Folder& folder);
[[nodiscard]] Result<void> store_values(const Folder& folder, const Values& values);

/// Prints "spillway: message" to standard error and returns `status`.
int complain(std::string_view message, int status);

}  // namespace spillway::app::stack
