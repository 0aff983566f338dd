/// `spillway up`: brings the local stack (emulated resources, the gateway and the chat app) to what its
/// settings say.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

#include "app/stack_command.hpp"
#include "app/stack_runner.hpp"
#include "app/verbs.hpp"

namespace spillway::app {
namespace {

using namespace stack;

constexpr std::string_view resource_key_file = "resource.key";

void say(std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

Result<std::string> resource_key(const Folder& folder) {
    auto stored = folder.read(resource_key_file);
    if (!stored) return stored.error();
    if (*stored && !(*stored)->empty()) return **stored;
    std::string key = make_key();
    if (auto written = folder.write(resource_key_file, key); !written) return written.error();
    return key;
}

Result<void> check_ports(const std::vector<NamedPort>& ports) {
    std::string problems;
    for (const NamedPort& port : ports)
        if (const auto obstacle = port_obstacle(port.number))
            problems += fmt::format("\n  port {} ({}): {}", port.number, port.setting, *obstacle);
    if (problems.empty()) return {};
    return fail(
        fmt::format("nothing was started, as not all ports can be had:{}\n"
                    "Free them, or take others with: spillway env set NAME PORT",
                    problems));
}

void tell_how_to_use(const Common& common, const Settings& settings) {
    say(fmt::format("{}={}", setting::gateway_url, settings.gateway_url()));
    say(fmt::format("Chat with it: {}", settings.chat_url()));
    say(fmt::format("Watch it: {}", settings.dashboard_url()));
    const std::string option = common.name == "local" ? "" : fmt::format(" -e {}", common.name);
    say(fmt::format("The key and the rest: eval \"$(spillway env get-values{})\"", option));
}

Result<void> bring_up(const Common& common, const Folder& folder, const Settings& settings) {
    const auto program = own_program();
    if (!program) return program.error();
    const auto build = build_of(*program);
    if (!build) return build.error();
    const auto key = resource_key(folder);
    if (!key) return key.error();

    const auto services = services_for(settings, {folder.path().string(), *build, *key});
    Runner runner(folder, *program, Limits(), say);
    const auto observed = runner.observe(services);
    std::vector<ServiceSpec> wanted;
    std::vector<Step> steps;
    for (std::size_t i = 0; i < services.size(); ++i) {
        wanted.push_back(services[i].spec);
        steps.push_back(plan_step(services[i].spec, observed[i]));
    }
    if (std::all_of(steps.begin(), steps.end(), [](const Step& s) { return s.kind == Step::Kind::keep; })) {
        say(fmt::format("Stack \"{}\" is up, nothing to do", common.name));
    } else {
        if (auto free = check_ports(ports_to_check(wanted, observed, steps)); !free) return free.error();
        say(fmt::format("Stack \"{}\" in {}", common.name, folder.path().string()));
        if (auto done = runner.apply(services, steps); !done) return done.error();
    }
    tell_how_to_use(common, settings);
    return {};
}

int up(const Common& common) {
    ::umask(077);  // for the services too
    const auto folder = folder_of(common);
    if (!folder) return complain(folder.error().message, 2);
    const auto lock = make_and_lock(*folder);
    if (!lock) return complain(lock.error().message, 1);
    const auto values = values_with_key(*folder);
    if (!values) return complain(values.error().message, 1);
    const auto settings = settings_from(*values);
    if (!settings) return complain(settings.error().message, 2);
    const auto done = bring_up(common, *folder, *settings);
    return done ? 0 : complain(done.error().message, 1);
}

}  // namespace

void add_up(CLI::App& app, Run& run) {
    CLI::App* verb =
        app.add_subcommand("up", "Starts the local stack, or changes it to the present settings");
    const auto common = add_common(*verb);
    verb->callback([&run, common] { run = [common] { return up(*common); }; });
}

}  // namespace spillway::app
