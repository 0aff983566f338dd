#pragma once
/// Where a configuration's values may come from besides its text: the environment and files. Handed in, so
/// that loading stays a function of its arguments.
///
/// Thread rule: the process_… functions read the process's environment; call them at start-up or from the
/// one thread that reloads.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace spillway::config {

using EnvLookup = std::function<std::optional<std::string>(std::string_view)>;
/// The file's whole content; the Error says why not, without content.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

struct Sources {
    EnvLookup env;
    ReadFile read_file;
    std::vector<std::string> env_names;  ///< all names, for those who must search; see config/aca_env.hpp
};

/// The process's own environment and file system.
[[nodiscard]] Sources process_sources();

/// A regular file's (or pipe's) content, at most 16 MiB.
[[nodiscard]] Result<std::string> read_whole_file(const std::string& path);

}  // namespace spillway::config
