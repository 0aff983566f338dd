#pragma once
/// As much of ARM templates as tells what their resources are called and where they are: parameters with
/// defaults, variables, copy loops, nested templates, and functions of texts and lists
/// (learn.microsoft.com/azure/azure-resource-manager/templates/template-functions).
///
/// What only Azure knows (references, keys) stays unknown. Ownership: nodes share yaml-cpp's document. Thread
/// rule: one thread. Errors: none; an unknown value is nothing.
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

/// Stands in a text for a part of it that is not known.
inline constexpr char kUnknown = '\x1a';

struct Scope {
    std::map<std::string, Value> parameters;
    std::map<std::string, Value> variables;
    std::map<std::string, std::uint64_t> loops;  ///< copyIndex() of the loop of that name
    std::uint64_t loop = 0;                      ///< of the innermost
};

/// `[expression]`, or a text that is itself (`[[` begins one with a bracket). A text within a value that is
/// no text is not looked into.
[[nodiscard]] Value resolve(const YAML::Node& value, const Scope& scope);
/// The text, number or truth of it.
[[nodiscard]] std::optional<std::string> text(const YAML::Node& value, const Scope& scope);

struct Resource {
    YAML::Node node;
    Scope scope;
    std::string name;  ///< resolved; of `service/backend` the last part
    std::string type;
    std::string path;  ///< `resources[2]`
};

/// The resources of a template, of an answer of Azure's (`{"value": [...]}`), of a list, or the one that
/// `root` is itself; each turn of a loop by itself, those of nested templates too.
[[nodiscard]] std::vector<Resource> resources(const YAML::Node& root);

/// The items of a list, of which some or all may be made by a loop (`"copy": [{"name": KEY, ...}]` beside
/// it).
struct Element {
    YAML::Node node;
    Scope scope;
};
[[nodiscard]] std::vector<Element> elements(const YAML::Node& map, const std::string& key,
                                            const Scope& scope);

}  // namespace spillway::migrate::arm
