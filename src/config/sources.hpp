#pragma once
/// Where a configuration's values may come from besides its text: the environment and files. Passed in, so
/// that loading is a function of its arguments.
///
/// Thread rule: process_sources() reads the process's environment; call it at start-up or from the one thread
/// that reloads.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace spillway::config {

using EnvLookup = std::function<std::optional<std::string>(std::string_view)>;
/// Returns all of a file; the Error says why it cannot be read, and contains nothing of it.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

struct Sources {
    EnvLookup env;
    ReadFile read_file;
    std::vector<std::string>
        env_names;  ///< all variables' names, for config/aca_env.hpp, which searches them
};

/// The process's own environment and file system.
[[nodiscard]] Sources process_sources();

/// The content of a regular file or pipe, at most 16 MiB.
[[nodiscard]] Result<std::string> read_whole_file(const std::string& path);

}  // namespace spillway::config
