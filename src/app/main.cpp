#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "app/suggest.hpp"
#include "app/verbs.hpp"

namespace {

/// As one may type it from habit: `help`, `help VERB` and `version` are --help, VERB --help and --version.
std::vector<std::string> words_of(int argc, char** argv) {
    std::vector<std::string> words(argv + 1, argv + argc);
    if (words.empty()) return words;
    if (words.front() == "version") words.front() = "--version";
    if (words.front() == "help") {
        words.erase(words.begin());
        words.emplace_back("--help");
    }
    return words;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        CLI::App app{"Spillway: one endpoint in front of several Azure OpenAI resources", "spillway"};
        app.set_version_flag("--version", SPILLWAY_VERSION);
        app.require_subcommand(1);
        app.fallthrough();
        spillway::app::Run run;
        spillway::app::add_serve(app, run);
        spillway::app::add_check(app, run);
        spillway::app::add_emulate(app, run);
        spillway::app::add_chat(app, run);
        spillway::app::add_read_pdf(app, run);
        spillway::app::add_up(app, run);
        spillway::app::add_down(app, run);
        spillway::app::add_env(app, run);
        spillway::app::add_usage(app, run);
        spillway::app::add_load(app, run);
        spillway::app::add_top(app, run);
        spillway::app::add_keys(app, run);
        spillway::app::add_health(app, run);
        spillway::app::add_import(app, run);
        spillway::app::add_backup(app, run);
        spillway::app::add_restore(app, run);
        spillway::app::add_examples(app);
        const auto words = words_of(argc, argv);
        try {
            // The last first, as CLI11 has it.
            app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
        } catch (const CLI::ParseError& e) {
            if (e.get_exit_code() == 0) return app.exit(e);
            const auto unknown = spillway::app::unknown_word(app, words);
            if (unknown.empty()) {
                app.exit(e);
            } else {
                std::fprintf(stderr, "%s\nRun with --help for more information.\n", unknown.c_str());
            }
            return 2;
        }
        return run ? run() : 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "spillway: %s\n", e.what());
        return 1;
    }
}
