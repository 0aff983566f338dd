/// `spillway up`: brings the local stack (emulated resources, the gateway and the chat app) to what its
/// settings say.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

#include "app/stack_command.hpp"
#include "app/stack_runner.hpp"
#include "app/verbs.hpp"
#include "base/json.hpp"

namespace spillway::app {
namespace {

using namespace stack;

constexpr std::string_view resource_key_file = "resource.key";

struct UpOptions {
    bool json = false;
};

/// What is done while it is done; beside JSON, that is not the answer.
Runner::Say teller(const UpOptions& options) {
    return [out = options.json ? stderr : stdout](std::string_view line) {
        fmt::print(out, "{}\n", line);
        std::fflush(out);
    };
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

std::string_view to_string(Step::Kind kind) {
    switch (kind) {
        case Step::Kind::keep:
            return "keep";
        case Step::Kind::start:
            return "start";
        case Step::Kind::restart:
            return "restart";
    }
    return "";
}

std::string to_json(const Common& common, const Settings& settings, const std::vector<Service>& services,
                    const std::vector<Step>& steps) {
    JsonWriter w;
    w.open()
        .field("stack", common.name)
        .field("gateway", settings.gateway_url())
        .field("chat", settings.chat_url())
        .field("dashboard", settings.dashboard_url())
        .key("services")
        .open_list();
    for (std::size_t i = 0; i < services.size(); ++i) {
        w.open().field("name", services[i].name).field("step", to_string(steps[i].kind));
        w.key("reasons").open_list();
        for (const auto& reason : steps[i].reasons) w.text(reason);
        w.close_list().close();
    }
    return w.close_list().close().take();
}

void tell_how_to_use(const Common& common, const Settings& settings, const Runner::Say& say) {
    say(fmt::format("{}={}", setting::gateway_url, settings.gateway_url()));
    say(fmt::format("Chat with it: {}", settings.chat_url()));
    say(fmt::format("Watch it: {}", settings.dashboard_url()));
    const std::string option = common.name == "local" ? "" : fmt::format(" -e {}", common.name);
    say(fmt::format("The key and the rest: eval \"$(spillway env get-values{})\"", option));
}

Result<void> bring_up(const Common& common, const UpOptions& options, const Folder& folder,
                      const Settings& settings) {
    const auto say = teller(options);
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
    if (options.json)
        fmt::print("{}\n", to_json(common, settings, services, steps));
    else
        tell_how_to_use(common, settings, say);
    return {};
}

int up(const Common& common, const UpOptions& options) {
    ::umask(077);  // for the services too
    const auto folder = folder_of(common);
    if (!folder) return complain(folder.error().message, 2);
    const auto lock = make_and_lock(*folder);
    if (!lock) return complain(lock.error().message, 1);
    const auto values = values_with_key(*folder);
    if (!values) return complain(values.error().message, 1);
    const auto settings = settings_from(*values);
    if (!settings) return complain(settings.error().message, 2);
    const auto done = bring_up(common, options, *folder, *settings);
    return done ? 0 : complain(done.error().message, 1);
}

}  // namespace

void add_up(CLI::App& app, Run& run) {
    CLI::App* verb =
        app.add_subcommand("up", "Starts the local stack, or changes it to the present settings");
    const auto common = add_common(*verb);
    const auto options = std::make_shared<UpOptions>();
    verb->add_flag("--json", options->json,
                   "The addresses and what was done, as JSON; progress on standard error");
    verb->callback([&run, common, options] { run = [common, options] { return up(*common, *options); }; });
}

}  // namespace spillway::app
