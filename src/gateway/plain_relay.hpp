#pragma once
/// Carries out what a PlainMachine decides about an answer that is no event stream.
/// Ownership and thread rule: within its Attempt.
#include "gateway/attempt.hpp"

namespace spillway::gateway {

Task<AttemptEnd> relay_plain(Attempt& attempt, const http::ResponseHead& head);

}  // namespace spillway::gateway
