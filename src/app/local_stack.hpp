#pragma once
/// Where the local stack of `spillway up` listens, for verbs that look there unless something else is named.
/// Thread rule: for one thread. Errors: messages for the user.
#include "app/stack_command.hpp"

namespace spillway::app::stack {

/// The settings of the stack that is meant; an Error if it was never made.
[[nodiscard]] Result<Settings> stored_settings(const Common& common);

}  // namespace spillway::app::stack
