#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "app/backend_probe.hpp"
#include "app/start_check.hpp"
#include "app/verbs.hpp"
#include "base/json.hpp"
#include "config/describe.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"

namespace spillway::app {
namespace {

struct CheckOptions {
    std::string file;
    bool emulator = false;
    bool connect = false;
    bool json = false;
    bool schema = false;
};

/// `{"ok": true, "problems": [...]}`
std::string to_json(const std::vector<config::Problem>& problems, bool ok) {
    JsonWriter w;
    w.open().field("ok", ok).key("problems").open_list();
    for (const auto& p : problems)
        w.open()
            .field("severity", p.severity == config::Severity::error ? "error" : "warning")
            .field("file", p.file)
            .field("line", p.line)
            .field("column", p.column)
            .field("key", p.key)
            .field("message", p.message)
            .close();
    w.close_list().close();
    return w.take() + '\n';
}

/// Problems to standard error, the description of a good configuration to standard output.
template <class T>
int report(const config::Loaded<T>& loaded, bool json) {
    if (json) {
        std::fputs(to_json(loaded.problems, loaded.ok()).c_str(), stdout);
        return loaded.ok() ? 0 : 2;
    }
    std::fputs(config::to_string(loaded.problems).c_str(), stderr);
    if (!loaded.ok()) return 2;
    std::fputs(config::describe(*loaded.value).c_str(), stdout);
    return 0;
}

/// Tries each backend; 3 if one cannot be used.
int connect(const config::GatewayConfig& config, bool json) {
    std::vector<ProbeReport> reports;
    for (const auto& backend : config.backends) {
        reports.push_back(probe_backend(backend));
        if (!json) std::fputs(to_string(reports.back()).c_str(), stdout);
    }
    if (json) std::fputs(to_json(reports).c_str(), stdout);
    return std::any_of(reports.begin(), reports.end(), [](const auto& r) { return r.failed(); }) ? 3 : 0;
}

int check(const CheckOptions& options) {
    if (options.schema) {
        std::fputs((options.emulator ? config::emulator_schema() : config::gateway_schema()).c_str(), stdout);
        return 0;
    }
    if (options.emulator && options.file.empty()) {
        std::fputs("spillway: --emulator needs --config\n", stderr);
        return 2;
    }
    const auto sources = config::process_sources();
    if (options.emulator) return report(config::load_emulator_from(options.file, sources), options.json);
    auto loaded = config::load_gateway_from(options.file, sources);
    if (loaded.ok())
        for (auto& problem :
             config::in_their_place(start_problems(*loaded.value, options.connect), options.file, sources))
            loaded.problems.push_back(std::move(problem));
    if (loaded.errors() != 0) loaded.value.reset();
    if (!options.connect || !loaded.ok()) return report(loaded, options.json);
    std::fputs(config::to_string(loaded.problems).c_str(), stderr);
    return connect(*loaded.value, options.json);
}

}  // namespace

void add_check(CLI::App& app, Run& run) {
    const auto options = std::make_shared<CheckOptions>();
    auto* verb = app.add_subcommand("check", "Check a configuration and print what it resolves to");
    auto* file = verb->add_option("-c,--config", options->file,
                                  "The file; else $SPILLWAY_CONFIG, else the BACKEND_n_... environment");
    file->type_name("FILE");
    verb->add_flag("--emulator", options->emulator, "The file is one for `spillway emulate`");
    verb->add_flag("--schema", options->schema, "Print a JSON Schema of the file instead");
    verb->add_flag("--connect", options->connect,
                   "Try each backend: name, TCP, TLS, certificate, credential, models; 3 if one fails");
    verb->add_flag("--json", options->json, "The problems, or what --connect finds, as JSON");
    verb->callback([options, &run] { run = [options] { return check(*options); }; });
}

}  // namespace spillway::app
