#pragma once
/// What has to be done to bring the local stack from what runs to what is wanted. Pure decisions: what runs
/// is found out elsewhere (stack_process.hpp), and done elsewhere (stack_runner.hpp).
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

/// What one service is started with. Two equal ones need no restart between them.
struct ServiceSpec {
    std::string program;           ///< which build: changes with the file
    std::string config_digest;     ///< of the whole configuration
    Values inputs;                 ///< the settings in it by name, to say what changed; keys as digests
    std::vector<NamedPort> ports;  ///< those it listens on
    friend bool operator==(const ServiceSpec&, const ServiceSpec&) = default;
};

/// What was found of one service.
struct Observed {
    std::optional<ServiceSpec> record;  ///< what it was last started with, if known
    bool running = false;               ///< the recorded process is there
    bool answers = false;               ///< and its health port answers
};

struct Step {
    enum class Kind : std::uint8_t { keep, start, restart };
    Kind kind = Kind::keep;
    std::vector<std::string> reasons;  ///< for the user; empty for keep and for a first start
    friend bool operator==(const Step&, const Step&) = default;
};

[[nodiscard]] Step plan_step(const ServiceSpec& wanted, const Observed& observed);

/// The ports that must be free before anything is started or stopped: those of services to start, without
/// the ones that services to be stopped give up. All three are by service, in the same order.
[[nodiscard]] std::vector<NamedPort> ports_to_check(const std::vector<ServiceSpec>& wanted,
                                                    const std::vector<Observed>& observed,
                                                    const std::vector<Step>& steps);

/// A service's record as values and back, with "PORT_<n>" for its ports.
[[nodiscard]] Values to_values(const ServiceSpec& spec);
[[nodiscard]] Result<ServiceSpec> spec_from(const Values& values);

}  // namespace spillway::app::stack
