/// `spillway env`: the settings of the local stack, in the habit of `azd env`.
#include <fmt/format.h>

#include "app/stack_command.hpp"
#include "app/verbs.hpp"

namespace spillway::app {
namespace {

using namespace stack;

/// The settings of a stack that is there; the Error says what makes one.
Result<Settings> existing_settings(const Common& common) {
    const auto folder = folder_of(common);
    if (!folder) return folder.error();
    auto values = folder->read_values(settings_file);
    if (!values) return values.error();
    if (!*values)
        return fail(
            fmt::format("there is no stack \"{}\" yet: spillway up makes and starts it", common.name));
    return settings_from(**values);
}

int get_values(const Common& common) {
    const auto settings = existing_settings(common);
    if (!settings) return complain(settings.error().message, 1);
    std::string out;
    for (const auto& [name, value] : listed(*settings)) append_line(out, name, value);
    fmt::print("{}", out);
    return 0;
}

int get_one(const Common& common, const std::string& wanted) {
    const auto settings = existing_settings(common);
    if (!settings) return complain(settings.error().message, 1);
    for (const auto& [name, value] : listed(*settings))
        if (name == wanted) {
            fmt::print("{}\n", value);
            return 0;
        }
    return complain(check_setting(wanted, "").error().message, 2);
}

int set_one(const Common& common, const std::string& name, const std::string& value) {
    const auto folder = folder_of(common);
    if (!folder) return complain(folder.error().message, 2);
    const auto checked = check_setting(name, value);
    if (!checked) return complain(checked.error().message, 2);
    const auto lock = make_and_lock(*folder);
    if (!lock) return complain(lock.error().message, 1);
    auto values = values_with_key(*folder);
    if (!values) return complain(values.error().message, 1);
    values->insert_or_assign(name, *checked);
    // Ports may be swapped one after the other, so that they differ is asked for by up, not here.
    if (const auto stored = store_values(*folder, *values); !stored)
        return complain(stored.error().message, 1);
    return 0;
}

}  // namespace

void add_env(CLI::App& app, Run& run) {
    CLI::App* env = app.add_subcommand("env", "Shows and changes the settings of the local stack");
    env->require_subcommand(1);
    const auto common = add_common(*env);

    CLI::App* all = env->add_subcommand("get-values", "Prints all as NAME=\"value\", as eval takes it");
    all->callback([&run, common] { run = [common] { return get_values(*common); }; });

    const auto name = std::make_shared<std::string>();
    const auto value = std::make_shared<std::string>();
    CLI::App* get = env->add_subcommand("get", "Prints one value")->alias("get-value");
    get->add_option("name", *name, "Name of the setting")->required();
    get->callback([&run, common, name] { run = [common, name] { return get_one(*common, *name); }; });

    CLI::App* set = env->add_subcommand("set", "Changes one; the next spillway up applies it");
    set->add_option("name", *name, "Name of the setting")->required();
    set->add_option("value", *value, "Its new value")->required();
    set->callback([&run, common, name, value] {
        run = [common, name, value] { return set_one(*common, *name, *value); };
    });
}

}  // namespace spillway::app
