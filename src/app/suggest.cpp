#include "app/suggest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/problem.hpp"

namespace spillway::app {
namespace {

std::string meant(std::string_view word, const std::vector<std::string>& known, std::string_view before) {
    const std::vector<std::string_view> views(known.begin(), known.end());
    return config::did_you_mean(word, views, before);
}

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& verbs) {
    std::vector<std::string> out;
    for (const auto* verb : verbs) {
        out.push_back(verb->get_name());
        for (const auto& alias : verb->get_aliases()) out.push_back(alias);
    }
    return out;
}

/// Of `app` and those it belongs to, as they are taken after its name, too.
std::vector<std::string> options_of(const CLI::App* app) {
    std::vector<std::string> out;
    for (; app != nullptr; app = app->get_parent())
        for (const auto* option : app->get_options())
            for (const auto& name : option->get_lnames()) out.push_back(name);
    return out;
}

const CLI::Option* find_option(const CLI::App* app, const std::string& word) {
    for (; app != nullptr; app = app->get_parent())
        if (const auto* found = app->get_option_no_throw(word); found != nullptr) return found;
    return nullptr;
}

bool takes_words(const CLI::App& app) {
    const auto options = app.get_options();
    return std::any_of(options.begin(), options.end(),
                       [](const CLI::Option* option) { return option->get_positional(); });
}

std::string path_of(const CLI::App* app) {
    std::string out = app->get_name();
    while ((app = app->get_parent()) != nullptr) out = app->get_name() + ' ' + out;
    return out;
}

}  // namespace

std::string unknown_word(const CLI::App& app, const std::vector<std::string>& words) {
    const CLI::App* at = &app;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        if (word == "--") break;
        if (word.starts_with("--")) {
            const auto name = word.substr(0, word.find('='));
            const auto* option = find_option(at, name);
            if (option == nullptr)
                return fmt::format("{}: there is no option {}{}", path_of(at), name,
                                   meant(std::string_view(name).substr(2), options_of(at), "--"));
            if (option->get_items_expected_max() > 0 && word.find('=') == std::string::npos) ++i;
        } else if (word.size() > 1 && word[0] == '-') {
            const auto* option = find_option(at, word.substr(0, 2));
            if (option == nullptr)
                return fmt::format("{}: there is no option {}", path_of(at), word.substr(0, 2));
            if (option->get_items_expected_max() > 0 && word.size() == 2) ++i;
        } else {
            const auto verbs = verbs_of(*at);
            const auto named = std::find_if(verbs.begin(), verbs.end(),
                                            [&](const CLI::App* verb) { return verb->check_name(word); });
            if (named != verbs.end())
                at = *named;
            else if (!verbs.empty() && !takes_words(*at))
                return fmt::format("{}: there is no command {}{}", path_of(at), word,
                                   meant(word, names_of(verbs), ""));
            else if (!takes_words(*at))
                return fmt::format("{}: takes no word {}", path_of(at), word);
        }
    }
    return {};
}

CLI::Validator one_of(std::vector<std::string> names) {
    std::string shown = fmt::format("{{{}}}", fmt::join(names, ","));
    const auto check = [names = std::move(names)](const std::string& given) {
        if (std::find(names.begin(), names.end(), given) != names.end()) return std::string();
        return fmt::format("{} is none of {}{}", given, fmt::join(names, ", "), meant(given, names, ""));
    };
    return CLI::Validator(check, std::move(shown));
}

}  // namespace spillway::app
