#pragma once
/// Shared by `up`, `down` and `env`: the selected stack, its folder, its settings.
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
/// Creates the folder if needed, and locks it for this command; reports if it has to wait for another.
[[nodiscard]] Result<Lock> make_and_lock(const Folder& folder);
[[nodiscard]] Result<Lock> lock_existing(const Folder& folder);

/// The stored values, including the client's key, which is created the first time. Requires the lock.
[[nodiscard]] Result<Values> values_with_key(const Folder& folder);
[[nodiscard]] Result<void> store_values(const Folder& folder, const Values& values);

/// Prints "spillway: message" to standard error and returns `status`.
int complain(std::string_view message, int status);

}  // namespace spillway::app::stack
