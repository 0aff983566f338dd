#pragma once
/// Where the local stack of `spillway up` listens: the default of verbs that need a running gateway.
/// Thread rule: for one thread. Errors: messages for the user.
#include "app/stack_command.hpp"

namespace spillway::app::stack {

/// The settings of the selected stack; an Error if it has never been created.
[[nodiscard]] Result<Settings> stored_settings(const Common& common);

}  // namespace spillway::app::stack
