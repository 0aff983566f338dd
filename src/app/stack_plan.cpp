#include "app/stack_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"

namespace spillway::app::stack {
namespace {

constexpr std::string_view program_name = "RECORD_PROGRAM";
constexpr std::string_view config_name = "RECORD_CONFIG";
constexpr std::string_view port_prefix = "RECORD_PORT_";
constexpr std::string_view input_prefix = "INPUT_";

std::string change_of(const std::string& name, const std::string& before, const std::string& after) {
    if (name.ends_with("_KEY")) return name + " changed";
    return fmt::format("{} {} -> {}", name, before, after);
}

std::vector<std::string> differences(const ServiceSpec& before, const ServiceSpec& after) {
    std::vector<std::string> out;
    for (const auto& [name, value] : after.inputs) {
        const auto at = before.inputs.find(name);
        if (at == before.inputs.end())
            out.push_back(name + " is new");
        else if (at->second != value)
            out.push_back(change_of(name, at->second, value));
    }
    if (before.program != after.program) out.emplace_back("the program was rebuilt");
    if (out.empty() && before != after) out.emplace_back("the configuration changed");
    return out;
}

}  // namespace

Step plan_step(const ServiceSpec& wanted, const Observed& observed) {
    if (!observed.running) {
        Step step{Step::Kind::start, {}};
        if (observed.record) step.reasons.emplace_back("it ended unexpectedly");
        return step;
    }
    if (!observed.record) return {Step::Kind::restart, {"what it was started with is not known"}};
    Step step{Step::Kind::restart, differences(*observed.record, wanted)};
    if (!observed.answers) step.reasons.emplace_back("it does not answer");
    if (step.reasons.empty()) step.kind = Step::Kind::keep;
    return step;
}

std::vector<NamedPort> ports_to_check(const std::vector<ServiceSpec>& wanted,
                                      const std::vector<Observed>& observed, const std::vector<Step>& steps) {
    const auto given_up = [&](std::uint16_t number) {
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (steps[i].kind != Step::Kind::restart || !observed[i].record) continue;
            const auto& ports = observed[i].record->ports;
            if (std::any_of(ports.begin(), ports.end(), [&](const auto& p) { return p.number == number; }))
                return true;
        }
        return false;
    };
    std::vector<NamedPort> out;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].kind == Step::Kind::keep) continue;
        for (const NamedPort& port : wanted[i].ports)
            if (!given_up(port.number)) out.push_back(port);
    }
    return out;
}

Values to_values(const ServiceSpec& spec) {
    Values values;
    values.emplace(program_name, spec.program);
    values.emplace(config_name, spec.config_digest);
    for (std::size_t i = 0; i < spec.ports.size(); ++i)
        values.emplace(fmt::format("{}{:02}", port_prefix, i),
                       fmt::format("{} {}", spec.ports[i].number, spec.ports[i].setting));
    for (const auto& [name, value] : spec.inputs)
        values.emplace(fmt::format("{}{}", input_prefix, name), value);
    return values;
}

Result<ServiceSpec> spec_from(const Values& values) {
    ServiceSpec spec;
    const auto program = values.find(program_name);
    const auto config = values.find(config_name);
    if (program == values.end() || config == values.end()) return fail("not a service's record");
    spec.program = program->second;
    spec.config_digest = config->second;
    for (const auto& [name, value] : values) {
        const std::string_view key = name;
        if (key.starts_with(input_prefix)) spec.inputs.emplace(key.substr(input_prefix.size()), value);
        if (!key.starts_with(port_prefix)) continue;
        const std::string_view text = value;
        const std::size_t blank = std::min(text.find(' '), text.size());
        const auto number = parse_int<std::uint16_t>(text.substr(0, blank));
        if (!number) return fail("a service's record has a bad port");
        spec.ports.push_back({*number, std::string(text.substr(std::min(blank + 1, text.size())))});
    }
    return spec;
}

}  // namespace spillway::app::stack
