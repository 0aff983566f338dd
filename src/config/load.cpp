#include "config/load.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "config/aca_env.hpp"
#include "config/yaml.hpp"
#include "config/yaml_reader.hpp"

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

/// Where `key` (`server.tls.cert`) is in the document, or the innermost section around it.
YAML::Mark place_of(YAML::Node node, std::string_view key) {
    while (!key.empty() && node.IsMap()) {
        const auto part = key.substr(0, key.find('.'));
        const auto pair = std::find_if(node.begin(), node.end(), [&](const auto& entry) {
            return entry.first.IsScalar() && entry.first.Scalar() == part;
        });
        if (pair == node.end()) break;
        if (pair->second.IsNull()) return pair->first.Mark();
        node.reset(pair->second);
        key.remove_prefix(std::min(key.size(), part.size() + 1));
    }
    return node.Mark();
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

std::vector<Problem> in_their_place(std::vector<Problem> problems, const std::optional<std::string>& path,
                                    const Sources& sources) {
    const auto file = gateway_file(path, sources);
    if (problems.empty() || !file) return problems;
    auto text = sources.read_file(*file);
    if (!text) return problems;
    yaml::Context context(*text, *file, sources);
    if (const auto document = yaml::parse(*text, context)) {
        for (auto& p : problems) {
            const auto at = place_of(*document, p.key);
            if (p.severity == Severity::error)
                context.error(at, std::move(p.key), std::move(p.message));
            else
                context.warning(at, std::move(p.key), std::move(p.message));
        }
        problems = context.take_problems();
    }
    wipe(*text);
    return problems;
}

Loaded<EmulatorConfig> load_emulator_from(const std::string& path, const Sources& sources) {
    return load_file(path, sources, load_emulator);
}

}  // namespace spillway::config
