#pragma once
/// The effective configuration as text for people, with defaults filled in and without secrets; and the
/// differences between two configurations.
///
/// Thread rule: functions of their arguments.
#include <string>
#include <string_view>
#include <vector>

#include "config/emulator.hpp"
#include "config/gateway.hpp"
#include "config/value.hpp"

namespace spillway::config {

/// YAML that loads to the same configuration, except that secrets are `***`. Backends by priority.
[[nodiscard]] std::string describe(const GatewayConfig& config);
[[nodiscard]] std::string describe(const EmulatorConfig& config);

[[nodiscard]] std::vector<Difference> differences(const GatewayConfig& before, const GatewayConfig& after);

/// `fresh` as far as a process that runs with `running` can adopt it: what needs a restart stays as it is.
[[nodiscard]] GatewayConfig reloaded(const GatewayConfig& running, GatewayConfig fresh);

/// As the configuration names it.
[[nodiscard]] std::string_view to_string(AdminRole role) noexcept;

}  // namespace spillway::config
