// The resources of an ARM template, with its loops and nested templates.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"
#include "migrate/arm.hpp"

namespace spillway::migrate::arm {
namespace {

constexpr std::uint64_t kMostTurns = 1000;
constexpr std::size_t kMostResources = 10'000;
constexpr int kDeepest = 8;

bool is_map(const YAML::Node& node) {
    return node.IsDefined() && node.IsMap();
}

YAML::Node child(const YAML::Node& of, const char* key) {
    if (!is_map(of)) return YAML::Node(YAML::NodeType::Null);
    const auto found = of[key];
    return found.IsDefined() ? found : YAML::Node(YAML::NodeType::Null);
}

/// One scope a turn of a loop: `{name, count}`.
std::vector<Scope> turns(const YAML::Node& copy, const Scope& scope) {
    const auto name = text(child(copy, "name"), scope);
    const auto count = text(child(copy, "count"), scope);
    const auto n = count ? parse_int<std::uint64_t>(*count) : std::nullopt;
    std::vector<Scope> out;
    for (std::uint64_t i = 0; n && i < std::min(*n, kMostTurns); ++i) {
        out.push_back(scope);
        out.back().loop = i;
        if (name) out.back().loops[*name] = i;
    }
    return out;
}

YAML::Node list_of_one(const YAML::Node& node) {
    YAML::Node out(YAML::NodeType::Sequence);
    out.push_back(node);
    return out;
}

class Collector {
public:
    void of_template(const YAML::Node& root, Scope given, const std::string& path, int depth) {
        if (depth > kDeepest) return;
        Scope scope;
        for (const auto& pair : map_of(child(root, "parameters"))) {
            const auto value = given.parameters.find(pair.first);
            scope.parameters[pair.first] =
                value != given.parameters.end() ? value->second : child(pair.second, "defaultValue");
        }
        for (const auto& pair : map_of(child(root, "variables"))) scope.variables[pair.first] = pair.second;
        for (const auto& loop : child(child(root, "variables"), "copy"))
            if (const auto name = text(child(loop, "name"), scope))
                scope.variables[*name] = made(loop, scope);
        list(child(root, "resources"), scope, path + "resources", depth);
    }

    void list(const YAML::Node& nodes, const Scope& scope, const std::string& path, int depth) {
        if (nodes.IsSequence()) {
            std::size_t n = 0;
            for (const auto& node : nodes) one(node, scope, fmt::format("{}[{}]", path, n++), depth, "");
        } else if (nodes.IsMap()) {  // by symbolic names
            for (const auto& pair : map_of(nodes))
                one(pair.second, scope, path + '.' + pair.first, depth, "");
        }
    }

    std::vector<Resource> take() { return std::move(out_); }

private:
    static std::vector<std::pair<std::string, YAML::Node>> map_of(const YAML::Node& node) {
        std::vector<std::pair<std::string, YAML::Node>> out;
        if (!is_map(node)) return out;
        for (const auto& pair : node)
            if (pair.first.IsScalar()) out.emplace_back(pair.first.Scalar(), pair.second);
        return out;
    }

    /// A list of what a loop makes.
    static YAML::Node made(const YAML::Node& loop, const Scope& scope) {
        YAML::Node out(YAML::NodeType::Sequence);
        for (const auto& turn : turns(loop, scope)) {
            const auto input = child(loop, "input");
            if (!input.IsMap()) {
                out.push_back(resolve(input, turn));
                continue;
            }
            YAML::Node item(YAML::NodeType::Map);
            for (const auto& pair : map_of(input)) item[pair.first] = resolve(pair.second, turn);
            out.push_back(item);
        }
        return out;
    }

    void one(const YAML::Node& node, const Scope& scope, const std::string& path, int depth,
             const std::string& parent_type) {
        if (!is_map(node)) return;
        const auto copy = child(node, "copy");
        const auto all = is_map(copy) ? turns(copy, scope) : std::vector<Scope>{scope};
        for (const auto& turn : all) {
            if (out_.size() >= kMostResources) return;
            if (iequals(text(child(node, "condition"), turn).value_or(""), "false")) continue;
            auto type = text(child(node, "type"), turn).value_or("");
            type = type.substr(0, type.find('@'));
            if (!parent_type.empty() && type.find('.') == std::string::npos) type = parent_type + '/' + type;
            auto name = text(child(node, "name"), turn).value_or("");
            name = name.substr(name.rfind('/') + 1);
            if (iequals(type, "Microsoft.Resources/deployments")) {
                const auto properties = child(node, "properties");
                Scope given;
                for (const auto& pair : map_of(child(properties, "parameters")))
                    given.parameters[pair.first] = resolve(child(pair.second, "value"), turn);
                of_template(child(properties, "template"), given, path + ".properties.template.", depth + 1);
            }
            out_.push_back({node, turn, name, type, path});
            if (depth >= kDeepest) continue;
            const auto inner = child(node, "resources");
            std::size_t n = 0;
            for (const auto& below : inner)
                if (inner.IsSequence())
                    one(below, turn, fmt::format("{}.resources[{}]", path, n++), depth + 1, type);
        }
    }

    std::vector<Resource> out_;
};

}  // namespace

std::vector<Resource> resources(const YAML::Node& root) {
    Collector out;
    if (root.IsSequence())
        out.list(root, {}, "", 0);
    else if (child(root, "value").IsSequence())
        out.list(child(root, "value"), {}, "value", 0);
    else if (is_map(root) && root["resources"].IsDefined())
        out.of_template(root, {}, "", 0);
    else if (is_map(root))
        out.list(list_of_one(root), {}, "", 0);
    return out.take();
}

std::vector<Element> elements(const YAML::Node& map, const std::string& key, const Scope& scope) {
    std::vector<Element> out;
    const auto listed = resolve(child(map, key.c_str()), scope);
    if (listed.IsDefined() && listed.IsSequence())
        for (const auto& node : listed) out.push_back({node, scope});
    for (const auto& loop : child(map, "copy")) {
        if (text(child(loop, "name"), scope) != key) continue;
        for (const auto& turn : turns(loop, scope)) out.push_back({child(loop, "input"), turn});
    }
    return out;
}

}  // namespace spillway::migrate::arm
