#pragma once
/// The refusal for a client whose own limits do not admit a request.
/// Thread rule: a free function. Errors: none.
#include "base/clock.hpp"
#include "gateway/asked.hpp"
#include "quota/client_subject.hpp"

namespace spillway::gateway {

[[nodiscard]] Refusal limit_refusal(const quota::Refusal& why, Wall now);

}  // namespace spillway::gateway
