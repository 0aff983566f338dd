#pragma once
/// Where `serve` and `check` take the gateway's configuration from.
///
/// Thread rule: functions of their arguments; `sources` is used on the calling thread only. Errors are
/// problems, also for a file that cannot be read.
#include <optional>
#include <string>

#include "config/emulator.hpp"
#include "config/gateway.hpp"
#include "config/problem.hpp"
#include "config/sources.hpp"

namespace spillway::config {

/// The file `path` (--config) unless empty, else the file $SPILLWAY_CONFIG names, else the BACKEND_n_…
/// environment (config/aca_env.hpp), else a problem that says so. A named file that is not there is a
/// problem, never a reason to go on to the next.
[[nodiscard]] Loaded<GatewayConfig> load_gateway_from(const std::optional<std::string>& path,
                                                      const Sources& sources);

/// The file that load_gateway_from() would read; nothing for the environment. For reloads and messages.
[[nodiscard]] std::optional<std::string> gateway_file(const std::optional<std::string>& path,
                                                      const Sources& sources);

[[nodiscard]] Loaded<EmulatorConfig> load_emulator_from(const std::string& path, const Sources& sources);

}  // namespace spillway::config
