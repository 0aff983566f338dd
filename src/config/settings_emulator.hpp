#pragma once
/// Intermediate values for reading the emulator's file. Internal to settings.hpp and yaml_emulator.cpp.
///
/// Thread rule: as in config/fields.hpp.
#include <yaml-cpp/yaml.h>

#include "config/emulator.hpp"
#include "config/emulator_defaults.hpp"
#include "config/fields.hpp"

namespace spillway::config {

/// The defaults of a deployment.
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
    DeploymentShape shape{};
    EmulatedResource made{};
    YAML::Node document{};  ///< the whole file, for deployments at the top level
};

struct EmulatorDraft {
    EmulatorConfig config;
    std::uint16_t base_port = kDefaultBasePort;
};

[[nodiscard]] const Fields<DeploymentDraft>& deployment_fields();
[[nodiscard]] const Fields<ResourceDraft>& resource_fields();
/// Top-level settings that apply to all resources.
[[nodiscard]] const Fields<ResourceDraft>& shared_fields();
/// All other top-level settings except the list of resources.
[[nodiscard]] const Fields<EmulatorDraft>& emulator_fields();

// In yaml_emulator.cpp:
void read_resource_deployments(yaml::MapReader& reader, ResourceDraft& out);
void read_shared_deployments(yaml::MapReader& reader, ResourceDraft& out);

}  // namespace spillway::config
