/// `spillway down`: stops the local stack; with --purge nothing of it is left.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "app/stack_command.hpp"
#include "app/stack_runner.hpp"
#include "app/verbs.hpp"

namespace spillway::app {
namespace {

using namespace stack;

struct DownOptions {
    bool purge = false;
    bool force = false;
};

void say(std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

/// Asks on the terminal; an Error if there is nobody to ask.
Result<bool> confirmed(const Common& common, const Folder& folder) {
    if (::isatty(STDIN_FILENO) == 0)
        return fail(
            "--purge removes settings, keys and logs: say so with --force, as there is no terminal to ask");
    fmt::print("Stop stack \"{}\" and remove {} with its settings, keys and logs? [y/N] ", common.name,
               folder.path().string());
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

int down(const Common& common, const DownOptions& options) {
    const auto folder = folder_of(common);
    if (!folder) return complain(folder.error().message, 2);
    if (!folder->exists()) {
        say(fmt::format("There is no stack \"{}\", nothing to do", common.name));
        return 0;
    }
    if (options.purge && !options.force) {
        const auto yes = confirmed(common, *folder);
        if (!yes) return complain(yes.error().message, 2);
        if (!*yes) {
            say("Nothing was done");
            return 1;
        }
    }
    const auto lock = lock_existing(*folder);
    if (!lock) {
        if (!folder->exists()) return 0;  // another down was quicker
        return complain(lock.error().message, 1);
    }
    say(fmt::format("Stack \"{}\"", common.name));
    Runner runner(*folder, {}, Limits(), say);
    if (const auto stopped = runner.stop_all(); !stopped) return complain(stopped.error().message, 1);
    if (!options.purge) return 0;
    if (const auto removed = folder->remove(); !removed) return complain(removed.error().message, 1);
    say(fmt::format("  removed {}", folder->path().string()));
    return 0;
}

}  // namespace

void add_down(CLI::App& app, Run& run) {
    CLI::App* verb = app.add_subcommand("down", "Stops the local stack");
    const auto common = add_common(*verb);
    const auto options = std::make_shared<DownOptions>();
    verb->add_flag("--purge", options->purge, "Also removes its settings, keys and logs");
    verb->add_flag("--force", options->force, "Does not ask");
    verb->callback([&run, common, options] { run = [common, options] { return down(*common, *options); }; });
}

}  // namespace spillway::app
