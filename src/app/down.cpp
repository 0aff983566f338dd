/// `spillway down`: stops the local stack; with --purge nothing of it is left.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "app/stack_command.hpp"
#include "app/stack_runner.hpp"
#include "app/verbs.hpp"
#include "base/json.hpp"

namespace spillway::app {
namespace {

using namespace stack;

struct DownOptions {
    bool purge = false;
    bool force = false;
    bool json = false;
};

/// Beside JSON, what is said on the way is not the answer.
std::FILE* said_on(const DownOptions& options) {
    return options.json ? stderr : stdout;
}

Runner::Say teller(const DownOptions& options) {
    return [out = said_on(options)](std::string_view line) {
        fmt::print(out, "{}\n", line);
        std::fflush(out);
    };
}

int done(const Common& common, const DownOptions& options, bool existed, bool removed) {
    if (!options.json) return 0;
    JsonWriter w;
    w.open().field("stack", common.name).field("existed", existed).field("removed", removed).close();
    fmt::print("{}\n", w.take());
    return 0;
}

/// Asks on the terminal; an Error if there is nobody to ask.
Result<bool> confirmed(const Common& common, const DownOptions& options, const Folder& folder) {
    if (::isatty(STDIN_FILENO) == 0)
        return fail(
            "--purge removes settings, keys and logs: say so with --force, as there is no terminal to ask");
    fmt::print(said_on(options), "Stop stack \"{}\" and remove {} with its settings, keys and logs? [y/N] ",
               common.name, folder.path().string());
    std::fflush(said_on(options));
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

int down(const Common& common, const DownOptions& options) {
    const auto say = teller(options);
    const auto folder = folder_of(common);
    if (!folder) return complain(folder.error().message, 2);
    if (!folder->exists()) {
        say(fmt::format("There is no stack \"{}\", nothing to do", common.name));
        return done(common, options, false, false);
    }
    if (options.purge && !options.force) {
        const auto yes = confirmed(common, options, *folder);
        if (!yes) return complain(yes.error().message, 2);
        if (!*yes) {
            say("Nothing was done");
            return 1;
        }
    }
    const auto lock = lock_existing(*folder);
    if (!lock) {
        if (!folder->exists()) return done(common, options, false, true);  // another down was quicker
        return complain(lock.error().message, 1);
    }
    say(fmt::format("Stack \"{}\"", common.name));
    Runner runner(*folder, {}, Limits(), say);
    if (const auto stopped = runner.stop_all(); !stopped) return complain(stopped.error().message, 1);
    if (!options.purge) return done(common, options, true, false);
    if (const auto removed = folder->remove(); !removed) return complain(removed.error().message, 1);
    say(fmt::format("  removed {}", folder->path().string()));
    return done(common, options, true, true);
}

}  // namespace

void add_down(CLI::App& app, Run& run) {
    CLI::App* verb = app.add_subcommand("down", "Stops the local stack");
    const auto common = add_common(*verb);
    const auto options = std::make_shared<DownOptions>();
    verb->add_flag("--purge", options->purge, "Also removes its settings, keys and logs");
    verb->add_flag("--force", options->force, "Does not ask");
    verb->add_flag("--json", options->json, "What was done, as JSON; progress on standard error");
    verb->callback([&run, common, options] { run = [common, options] { return down(*common, *options); }; });
}

}  // namespace spillway::app
