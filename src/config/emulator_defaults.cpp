#include "config/emulator_defaults.hpp"

#include <fmt/format.h>

namespace spillway::config {

EmulatedDeployment with_capacity(EmulatedDeployment deployment, std::uint64_t capacity) {
    deployment.tpm = capacity * 1000;
    deployment.rpm = requests_for(deployment.tpm);
    deployment.ptu_tokens_per_minute = deployment.tpm;
    return deployment;
}

std::vector<EmulatedDeployment> default_deployments(std::uint64_t capacity) {
    std::vector<EmulatedDeployment> out;
    for (const auto* name : {"gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "text-embedding-3-large",
                             "text-embedding-ada-002"}) {
        auto& d = out.emplace_back(with_capacity({}, capacity));
        d.name = name;
        d.model = name;
    }
    return out;
}

std::string resource_name(std::size_t index) {
    return fmt::format("resource-{}", index + 1);
}

std::string_view to_string(DeploymentKind kind) noexcept {
    return kind == DeploymentKind::payg ? "payg" : "ptu";
}

}  // namespace spillway::config
