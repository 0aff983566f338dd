#pragma once
/// Carries out what a PlainMachine decides about an answer that is no event stream.
/// Ownership and thread rule: within its Attempt.
#include <optional>
#include <string>

#include "gateway/attempt.hpp"

namespace spillway::gateway {

/// `begin`: what of the body was read before; an empty text is its end.
Task<AttemptEnd> relay_plain(Attempt& attempt, const http::ResponseHead& head,
                             std::optional<std::string> begin = std::nullopt);

}  // namespace spillway::gateway
