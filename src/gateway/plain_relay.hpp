#pragma once
/// Carries out a PlainMachine's decisions on an answer that is not an event stream.
/// Ownership and thread rule: within its Attempt.
#include <optional>
#include <string>

#include "gateway/attempt.hpp"

namespace spillway::gateway {

/// `begin`: the part of the body read before; empty at its end.
Task<AttemptEnd> relay_plain(Attempt& attempt, const http::ResponseHead& head,
                             std::optional<std::string> begin = std::nullopt);

}  // namespace spillway::gateway
