#pragma once
/// Describes a backend's change of state, for one line of the process log.
/// Pure. Thread rule: a free function. Errors: none.
#include <string>

#include "routing/state_change.hpp"

namespace spillway::gateway {

/// "backend 'one', deployment 'gpt-4o' is out for 2.0 s: server_error (the answer's words)".
[[nodiscard]] std::string describe(const routing::StateChange& change);

}  // namespace spillway::gateway
