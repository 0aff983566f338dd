#pragma once
/// The part of ARM templates that determines the names and places of resources: parameters with
/// defaults, variables, copy loops, nested templates, and functions of texts and lists
/// (learn.microsoft.com/azure/azure-resource-manager/templates/template-functions).
///
/// What only Azure knows (references, keys) stays unknown. Ownership: nodes share yaml-cpp's document. Thread
/// rule: one thread. Errors: none; an unknown value is null.
#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::migrate::arm {

/// Null: not known.
using Value = YAML::Node;

/// Placeholder in a text for a part that is not known.
inline constexpr char kUnknown = '\x1a';

struct Scope {
    std::map<std::string, Value> parameters;
    std::map<std::string, Value> variables;
    std::map<std::string, std::uint64_t> loops;  ///< copyIndex() of the loop of that name
    std::uint64_t loop = 0;                      ///< of the innermost loop
};

/// Evaluates `[expression]`; any other text is literal (`[[` stands for a bracket). Texts within other values
/// are not evaluated.
[[nodiscard]] Value resolve(const YAML::Node& value, const Scope& scope);
/// Its text, number or boolean as text.
[[nodiscard]] std::optional<std::string> text(const YAML::Node& value, const Scope& scope);

struct Resource {
    YAML::Node node;
    Scope scope;
    std::string name;  ///< resolved; the last part of `service/backend`
    std::string type;
    std::string path;  ///< `resources[2]`
};

/// The resources of a template, of Azure's answer (`{"value": [...]}`) or of a list, or `root` itself if it
/// is one; with each iteration of a loop, and those of nested templates.
[[nodiscard]] std::vector<Resource> resources(const YAML::Node& root);

/// The items of a list, some or all of which may come from a loop (`"copy": [{"name": KEY, ...}]` next to
/// it).
struct Element {
    YAML::Node node;
    Scope scope;
};
[[nodiscard]] std::vector<Element> elements(const YAML::Node& map, const std::string& key,
                                            const Scope& scope);

}  // namespace spillway::migrate::arm
