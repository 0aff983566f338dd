#pragma once
/// What `serve` would refuse beyond what the file itself says: certificates, key sets, places to write to,
/// ports.
///
/// Nothing is left behind. Thread rule: a function of its argument and the machine. Errors: problems, in the
/// order of the sections; an address that is taken is a warning, as the gateway that runs may be the one
/// whose file is checked.
#include <vector>

#include "config/gateway.hpp"
#include "config/problem.hpp"

namespace spillway::app {

[[nodiscard]] std::vector<config::Problem> start_problems(const config::GatewayConfig& config);

}  // namespace spillway::app
