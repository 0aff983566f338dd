#include <cstdio>
#include <memory>
#include <string>

#include "app/verbs.hpp"
#include "config/describe.hpp"
#include "config/load.hpp"

namespace spillway::app {
namespace {

struct CheckOptions {
    std::string file;
    bool emulator = false;
};

/// Problems to standard error, the description of a good configuration to standard output.
template <class T>
int report(const config::Loaded<T>& loaded) {
    std::fputs(config::to_string(loaded.problems).c_str(), stderr);
    if (!loaded.ok()) return 2;
    std::fputs(config::describe(*loaded.value).c_str(), stdout);
    return 0;
}

int check(const CheckOptions& options) {
    const auto sources = config::process_sources();
    if (options.emulator) return report(config::load_emulator_from(options.file, sources));
    return report(config::load_gateway_from(options.file, sources));
}

}  // namespace

void add_check(CLI::App& app, Run& run) {
    const auto options = std::make_shared<CheckOptions>();
    auto* verb = app.add_subcommand("check", "Check a configuration and print what it resolves to");
    auto* file = verb->add_option("-c,--config", options->file,
                                  "The file; else $SPILLWAY_CONFIG, else the BACKEND_n_... environment");
    file->type_name("FILE");
    verb->add_flag("--emulator", options->emulator, "The file is one for `spillway emulate`")->needs(file);
    verb->callback([options, &run] { run = [options] { return check(*options); }; });
}

}  // namespace spillway::app
