#pragma once
/// The verbs of the program. Each has its own file and adds one subcommand; main() parses the command line
/// and runs the verb. The verb's callback sets `run`, which returns the exit status: 0 success, 1 failure, 2
/// wrong usage or configuration.
#include <CLI/CLI.hpp>
#include <functional>

namespace spillway::app {

using Run = std::function<int()>;

void add_serve(CLI::App& app, Run& run);
void add_check(CLI::App& app, Run& run);
void add_emulate(CLI::App& app, Run& run);
void add_chat(CLI::App& app, Run& run);
void add_read_pdf(CLI::App& app, Run& run);
void add_up(CLI::App& app, Run& run);
void add_down(CLI::App& app, Run& run);
void add_env(CLI::App& app, Run& run);
void add_usage(CLI::App& app, Run& run);
void add_load(CLI::App& app, Run& run);
void add_top(CLI::App& app, Run& run);
void add_keys(CLI::App& app, Run& run);
void add_health(CLI::App& app, Run& run);
void add_import(CLI::App& app, Run& run);
void add_backup(CLI::App& app, Run& run);
void add_restore(CLI::App& app, Run& run);

}  // namespace spillway::app
