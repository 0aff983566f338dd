#pragma once
/// Decides how to bring the local stack from its present state to the desired one. Pure: stack_process.hpp
/// finds out what is running, and stack_runner.hpp carries the plan out.
///
/// Ownership: values. Thread rule: free functions, safe everywhere.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/stack_values.hpp"
#include "base/result.hpp"

namespace spillway::app::stack {

struct NamedPort {
    std::uint16_t number = 0;
    std::string setting;  ///< the setting it comes from, for messages
    friend bool operator==(const NamedPort&, const NamedPort&) = default;
};

/// What a service is started with. If it is equal, no restart is needed.
struct ServiceSpec {
    std::string program;           ///< identifies the build; changes with the file
    std::string config_digest;     ///< of the whole configuration
    Values inputs;                 ///< its settings by name, to report changes; keys as digests
    std::vector<NamedPort> ports;  ///< those it listens on
    friend bool operator==(const ServiceSpec&, const ServiceSpec&) = default;
};

/// What was found about a service.
struct Observed {
    std::optional<ServiceSpec> record;  ///< what it was last started with, if known
    bool running = false;               ///< the recorded process exists
    bool answers = false;               ///< and its health port answers
};

struct Step {
    enum class Kind : std::uint8_t { keep, start, restart };
    Kind kind = Kind::keep;
    std::vector<std::string> reasons;  ///< for the user; empty for keep and for a first start
    friend bool operator==(const Step&, const Step&) = default;
};

[[nodiscard]] Step plan_step(const ServiceSpec& wanted, const Observed& observed);

/// The ports that must be free before anything is started or stopped: those of services to start, except
/// those that services to be stopped will release. All three arguments are by service, in the same order.
[[nodiscard]] std::vector<NamedPort> ports_to_check(const std::vector<ServiceSpec>& wanted,
                                                    const std::vector<Observed>& observed,
                                                    const std::vector<Step>& steps);

/// Converts a service's record to values and back, with "PORT_<n>" for its ports.
[[nodiscard]] Values to_values(const ServiceSpec& spec);
[[nodiscard]] Result<ServiceSpec> spec_from(const Values& values);

}  // namespace spillway::app::stack
