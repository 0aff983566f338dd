#pragma once
/// An invented environment and file system.
#include <map>
#include <string>

#include "config/sources.hpp"

namespace spillway::config {

using Texts = std::map<std::string, std::string, std::less<>>;

inline Sources fake_sources(Texts env = {}, Texts files = {}) {
    Sources out;
    for (const auto& [name, value] : env) out.env_names.push_back(name);
    out.env = [env = std::move(env)](std::string_view name) -> std::optional<std::string> {
        const auto it = env.find(name);
        return it == env.end() ? std::nullopt : std::optional(it->second);
    };
    out.read_file = [files = std::move(files)](const std::string& path) -> Result<std::string> {
        const auto it = files.find(path);
        if (it == files.end()) return fail("cannot be opened: No such file or directory");
        return it->second;
    };
    return out;
}

}  // namespace spillway::config
