#pragma once
/// Suggests corrections for a wrong command line.
///
/// Thread rule: pure. Errors: none.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace spillway::app {

/// `spillway: there is no command srve; did you mean serve?`, or of an option; empty if all that `words`
/// (without the program's name) names exists.
[[nodiscard]] std::string unknown_word(const CLI::App& app, const std::vector<std::string>& words);

/// For an option that is one of `names`: another word is met with what was likely meant.
[[nodiscard]] CLI::Validator one_of(std::vector<std::string> names);

/// Adds to each verb the examples at the end of its --help.
void add_examples(CLI::App& app);

}  // namespace spillway::app
