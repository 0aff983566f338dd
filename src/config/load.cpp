#include "config/load.hpp"

#include "base/strings.hpp"
#include "config/aca_env.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

template <class T>
Loaded<T> load_file(const std::string& path, const Sources& sources,
                    Loaded<T> (*load)(std::string_view, std::string, const Sources&)) {
    auto text = sources.read_file(path);
    if (!text) {
        Loaded<T> out;
        out.problems.push_back({Severity::error, path, 0, 0, "", text.error().message});
        return out;
    }
    auto out = load(*text, path, sources);
    if (!out.ok() && trim(*text).empty())
        out.problems = {{Severity::error, path, 0, 0, "",
                         "is empty; expected at least `backends` with one `url`, see docs/configuration.md"}};
    wipe(*text);  // it may hold keys
    return out;
}

}  // namespace

std::optional<std::string> gateway_file(const std::optional<std::string>& path, const Sources& sources) {
    if (path && !path->empty()) return path;
    auto named = sources.env("SPILLWAY_CONFIG");
    return named && !named->empty() ? named : std::nullopt;
}

Loaded<GatewayConfig> load_gateway_from(const std::optional<std::string>& path, const Sources& sources) {
    if (const auto file = gateway_file(path, sources)) return load_file(*file, sources, load_gateway);
    if (has_aca_env(sources)) return load_aca_env(sources);
    Loaded<GatewayConfig> out;
    out.problems.push_back(
        {Severity::error, "", 0, 0, "",
         "no configuration; expected --config FILE, SPILLWAY_CONFIG=FILE, or BACKEND_1_URL "
         "and BACKEND_1_PRIORITY in the environment"});
    return out;
}

Loaded<EmulatorConfig> load_emulator_from(const std::string& path, const Sources& sources) {
    return load_file(path, sources, load_emulator);
}

}  // namespace spillway::config
