#pragma once
/// What a wrong command line was likely meant to be.
///
/// Thread rule: pure. Errors: none.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace spillway::app {

/// `spillway: there is no command srve; did you mean serve?`, or of an option; empty if all that `words`
/// (without the program's name) names is there.
[[nodiscard]] std::string unknown_word(const CLI::App& app, const std::vector<std::string>& words);

/// Gives each verb the examples that its --help ends with.
void add_examples(CLI::App& app);

}  // namespace spillway::app
