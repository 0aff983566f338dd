#pragma once
/// What a configuration resolves to, for people: names, defaults filled in, no secrets.
///
/// Thread rule: functions of their arguments.
#include <string>

#include "config/emulator.hpp"
#include "config/gateway.hpp"

namespace spillway::config {

/// Lines of text, backends in the order of their use.
[[nodiscard]] std::string describe(const GatewayConfig& config);
[[nodiscard]] std::string describe(const EmulatorConfig& config);

}  // namespace spillway::config
