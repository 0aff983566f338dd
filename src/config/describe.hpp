#pragma once
/// What a configuration resolves to, for people: names, defaults filled in, no secrets; and what differs
/// between two.
///
/// Thread rule: functions of their arguments.
#include <string>
#include <vector>

#include "config/emulator.hpp"
#include "config/gateway.hpp"
#include "config/value.hpp"

namespace spillway::config {

/// YAML that loads to the same but for secrets, which are `***`. Backends are in the order of their use.
[[nodiscard]] std::string describe(const GatewayConfig& config);
[[nodiscard]] std::string describe(const EmulatorConfig& config);

[[nodiscard]] std::vector<Difference> differences(const GatewayConfig& before, const GatewayConfig& after);

/// `fresh` as a process that runs with `running` can use it: what needs a restart stays.
[[nodiscard]] GatewayConfig reloaded(const GatewayConfig& running, GatewayConfig fresh);

}  // namespace spillway::config
