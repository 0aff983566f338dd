#pragma once
/// Configuration files: YAML (so JSON too), keys as docs/configuration.md has them.
///
/// Each problem has file, line, column, the key's path and what was expected; all problems of a file are
/// found in one go. Unknown and repeated keys are errors. Values are never quoted in a problem, since one in
/// the wrong place may be a secret. There is no interpolation: a secret comes from `…_env` or `…_file`.
/// Paths in a file are relative to that file's folder.
/// Thread rule: functions of their arguments; `sources` is used on the calling thread only. Errors: nothing
/// is thrown for any text.
#include <string>
#include <string_view>

#include "config/emulator.hpp"
#include "config/gateway.hpp"
#include "config/problem.hpp"
#include "config/sources.hpp"

namespace spillway::config {

/// `file_name` is what problems name, and its folder what relative paths start from.
[[nodiscard]] Loaded<GatewayConfig> load_gateway(std::string_view text, std::string file_name,
                                                 const Sources& sources);
[[nodiscard]] Loaded<EmulatorConfig> load_emulator(std::string_view text, std::string file_name,
                                                   const Sources& sources);

}  // namespace spillway::config
