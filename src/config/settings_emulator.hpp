#pragma once
/// Drafts that the rows of the emulator's file read into: the inside of settings.hpp and yaml_emulator.cpp.
///
/// Thread rule: as config/fields.hpp.
#include <yaml-cpp/yaml.h>

#include "config/emulator.hpp"
#include "config/emulator_defaults.hpp"
#include "config/fields.hpp"

namespace spillway::config {

/// What a deployment has unless it says otherwise.
struct DeploymentShape {
    std::uint64_t capacity = kDefaultCapacity;
    EstimateConfig estimate;
    LatencyConfig latency;
};

struct DeploymentDraft {
    DeploymentShape shape;
    EmulatedDeployment made;
};

struct ResourceDraft {
    DeploymentShape shape;
    EmulatedResource made;
    YAML::Node document;  ///< the whole file, for the deployments at its top
};

struct EmulatorDraft {
    EmulatorConfig config;
    std::uint16_t base_port = kDefaultBasePort;
};

[[nodiscard]] const Fields<DeploymentDraft>& deployment_fields();
[[nodiscard]] const Fields<ResourceDraft>& resource_fields();
/// What stands at the top for all resources.
[[nodiscard]] const Fields<ResourceDraft>& shared_fields();
/// The rest of what stands at the top, but for the list of resources.
[[nodiscard]] const Fields<EmulatorDraft>& emulator_fields();

// In yaml_emulator.cpp:
void read_resource_deployments(yaml::MapReader& reader, ResourceDraft& out);
void read_shared_deployments(yaml::MapReader& reader, ResourceDraft& out);

}  // namespace spillway::config
