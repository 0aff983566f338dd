#include "config/describe.hpp"

#include <algorithm>

#include "config/settings.hpp"

namespace spillway::config {

std::string describe(const GatewayConfig& config) {
    GatewayConfig ordered = config;
    std::stable_sort(ordered.backends.begin(), ordered.backends.end(),
                     [](const auto& a, const auto& b) { return a.priority < b.priority; });
    return to_yaml(to_value(ordered));
}

std::string describe(const EmulatorConfig& config) {
    return to_yaml(to_value(config));
}

std::vector<Difference> differences(const GatewayConfig& before, const GatewayConfig& after) {
    return differences(to_value(before), to_value(after));
}

GatewayConfig reloaded(const GatewayConfig& running, GatewayConfig fresh) {
    gateway_fields().keep_restart(running, fresh);
    return fresh;
}

std::string_view to_string(AdminRole role) noexcept {
    switch (role) {
        case AdminRole::viewer:
            return "viewer";
        case AdminRole::operate:
            return "operator";
        case AdminRole::manage:
            break;
    }
    return "admin";
}

std::string_view to_string(PriorityClass priority) noexcept {
    switch (priority) {
        case PriorityClass::low:
            return "low";
        case PriorityClass::high:
            return "high";
        case PriorityClass::normal:
            break;
    }
    return "normal";
}

}  // namespace spillway::config
