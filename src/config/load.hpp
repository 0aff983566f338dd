#pragma once
/// Finds and loads the configuration for `serve` and `check`.
///
/// Thread rule: functions of their arguments; `sources` is used on the calling thread only. Errors: problems,
/// also for a file that cannot be read.
#include <optional>
#include <string>
#include <vector>

#include "config/emulator.hpp"
#include "config/gateway.hpp"
#include "config/problem.hpp"
#include "config/sources.hpp"

namespace spillway::config {

/// Loads the file `path` (--config) if given, else the file that $SPILLWAY_CONFIG names, else the BACKEND_n_…
/// environment (config/aca_env.hpp); a problem if there is none of these. A named file that does not exist is
/// a problem, not a reason to try the next.
[[nodiscard]] Loaded<GatewayConfig> load_gateway_from(const std::optional<std::string>& path,
                                                      const Sources& sources);

/// The file that load_gateway_from() would read; nullopt for the environment. For reloads and messages.
[[nodiscard]] std::optional<std::string> gateway_file(const std::optional<std::string>& path,
                                                      const Sources& sources);

/// `problems`, found after loading, each at the place of its key in the file that load_gateway_from() read,
/// or of the nearest section around it that is there. Without a file they stay as they are.
[[nodiscard]] std::vector<Problem> in_their_place(std::vector<Problem> problems,
                                                  const std::optional<std::string>& path,
                                                  const Sources& sources);

[[nodiscard]] Loaded<EmulatorConfig> load_emulator_from(const std::string& path, const Sources& sources);

}  // namespace spillway::config
