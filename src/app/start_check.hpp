#pragma once
/// Checks what `serve` would refuse beyond the file's content: certificates, key sets, files to be written,
/// ports.
///
/// Leaves nothing behind. Thread rule: a function of its argument and the machine. Errors: problems, in the
/// order of the sections; an address in use is only a warning, since it may belong to the running gateway
/// whose file is being checked.
#include <vector>

#include "config/gateway.hpp"
#include "config/problem.hpp"

namespace spillway::app {

/// `connect`: also whether a store on another machine can be reached, which may take seconds.
[[nodiscard]] std::vector<config::Problem> start_problems(const config::GatewayConfig& config, bool connect);

}  // namespace spillway::app
