#include <fmt/format.h>

#include <map>

#include "config/settings_emulator.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

std::vector<EmulatedDeployment> read_deployments(yaml::MapReader& reader, const DeploymentShape& shape) {
    std::vector<EmulatedDeployment> out;
    for (const auto& item : reader.list("deployments", "expected a list of deployments")) {
        DeploymentDraft draft{shape, {}};
        if (deployment_fields().read_all(reader.context(), item, draft)) out.push_back(std::move(draft.made));
    }
    return out;
}

/// The deployments at the top of the file with a resource's own shape; their faults are reported once only,
/// where the top is read.
std::vector<EmulatedDeployment> shared_deployments(const Sources& sources, const ResourceDraft& resource) {
    yaml::Context unheard("", "", sources);
    yaml::MapReader root(unheard, {resource.document, ""});
    auto out = read_deployments(root, resource.shape);
    if (!out.empty()) return out;
    out = default_deployments(resource.shape.capacity);
    for (auto& d : out) {
        d.estimate = resource.shape.estimate;
        d.latency = resource.shape.latency;
    }
    return out;
}

void name_and_port(EmulatedResource& resource, std::size_t index, std::uint16_t base_port) {
    if (resource.name.empty()) resource.name = resource_name(index);
    const auto port = base_port + index;
    // A port beyond the last one stays 0, which check_whole() reports.
    if (resource.port == 0 && port <= 0xffff) resource.port = static_cast<std::uint16_t>(port);
}

void read_resources(yaml::MapReader& root, const ResourceDraft& shared, std::uint16_t base_port,
                    std::vector<EmulatedResource>& out) {
    const auto item = root.any("resources");
    std::uint32_t count = kDefaultResources;
    if (item && item->node.IsSequence()) {
        for (const auto& one : root.list("resources")) {
            ResourceDraft draft = shared;
            resource_fields().read_all(root.context(), one, draft);
            out.push_back(std::move(draft.made));
        }
        if (root.is_empty_list("resources")) root.error("resources", "needs at least one resource");
    } else {
        if (item && !item->node.IsScalar())
            root.error("resources", "expected a number of resources or a list of them");
        else
            root.whole<std::uint32_t>("resources", count, 1, 1000);
        out.assign(count, shared.made);
    }
    for (std::size_t i = 0; i < out.size(); ++i) name_and_port(out[i], i, base_port);
}

/// Each name and each port once.
void check_whole(yaml::MapReader& root, const EmulatorConfig& config) {
    std::map<std::uint16_t, std::string> ports{{config.admin_port, "admin_port"}};
    std::map<std::string, std::string> names;
    for (std::size_t i = 0; i < config.resources.size(); ++i) {
        const auto& resource = config.resources[i];
        const auto path = fmt::format("resources[{}]", i);
        if (resource.port == 0)
            root.error("resources", fmt::format("{} has no port left below 65536; lower base_port", path));
        else if (const auto [it, fresh] = ports.try_emplace(resource.port, path); !fresh)
            root.error("resources",
                       fmt::format("{} has port {}, which is taken by {}", path, resource.port, it->second));
        if (const auto [it, fresh] = names.try_emplace(resource.name, path); !fresh)
            root.error("resources", fmt::format("{} has the name {}, which is taken by {}", path,
                                                resource.name, it->second));
    }
}

}  // namespace

void read_resource_deployments(yaml::MapReader& reader, ResourceDraft& out) {
    if (!reader.has("deployments")) {
        out.made.deployments = shared_deployments(reader.context().sources(), out);
        return;
    }
    out.made.deployments = read_deployments(reader, out.shape);
    if (reader.is_empty_list("deployments")) reader.error("deployments", "needs at least one deployment");
}

void read_shared_deployments(yaml::MapReader& reader, ResourceDraft& out) {
    static_cast<void>(read_deployments(reader, out.shape));
    out.made.deployments = shared_deployments(reader.context().sources(), out);
}

Loaded<EmulatorConfig> load_emulator(std::string_view text, std::string file_name, const Sources& sources) {
    yaml::Context context(text, std::move(file_name), sources);
    EmulatorDraft draft;
    if (const auto document = yaml::parse(text, context)) {
        yaml::MapReader root(context, {*document, ""});
        ResourceDraft shared{.document = *document};
        emulator_fields().read(root, draft);
        shared_fields().read(root, shared);
        read_resources(root, shared, draft.base_port, draft.config.resources);
        root.finish();
        if (root.valid()) check_whole(root, draft.config);
    }
    Loaded<EmulatorConfig> out;
    if (!context.failed()) out.value = std::move(draft.config);
    out.problems = context.take_problems();
    return out;
}

}  // namespace spillway::config
