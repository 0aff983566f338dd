#pragma once
/// Configuration files: YAML, and so JSON, with the keys of docs/configuration.md.
///
/// Each problem has file, line, column, the key's path and what was expected; all problems of a file are
/// found at once. Unknown and repeated keys are errors. Problems never quote values, since one in the wrong
/// place may be a secret. There is no interpolation: secrets come from `…_env` or `…_file`.
/// Paths in a file are relative to that file's folder.
/// Thread rule: functions of their arguments; `sources` is used on the calling thread only. Errors: problems;
/// no text makes it throw.
#include <string>
#include <string_view>

#include "config/emulator.hpp"
#include "config/gateway.hpp"
#include "config/problem.hpp"
#include "config/sources.hpp"

namespace spillway::config {

/// `file_name` is named in problems, and relative paths start from its folder.
[[nodiscard]] Loaded<GatewayConfig> load_gateway(std::string_view text, std::string file_name,
                                                 const Sources& sources);
[[nodiscard]] Loaded<EmulatorConfig> load_emulator(std::string_view text, std::string file_name,
                                                   const Sources& sources);

}  // namespace spillway::config
