/// `spillway env`: the settings of the local stack, in the habit of `azd env`.
#include <fmt/format.h>

#include "app/stack_command.hpp"
#include "app/verbs.hpp"
#include "base/json.hpp"

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

struct EnvOptions {
    std::string name;
    std::string value;
    bool json = false;
};

void tell_as_json(const std::vector<std::pair<std::string, std::string>>& values) {
    JsonWriter w;
    w.open();
    for (const auto& [name, value] : values) w.field(name, value);
    fmt::print("{}\n", w.close().take());
}

int get_values(const Common& common, const EnvOptions& options) {
    const auto settings = existing_settings(common);
    if (!settings) return complain(settings.error().message, 1);
    if (options.json) {
        tell_as_json(listed(*settings));
        return 0;
    }
    std::string out;
    for (const auto& [name, value] : listed(*settings)) append_line(out, name, value);
    fmt::print("{}", out);
    return 0;
}

int get_one(const Common& common, const EnvOptions& options) {
    const auto settings = existing_settings(common);
    if (!settings) return complain(settings.error().message, 1);
    for (const auto& [name, value] : listed(*settings))
        if (name == options.name) {
            if (options.json)
                tell_as_json({{name, value}});
            else
                fmt::print("{}\n", value);
            return 0;
        }
    return complain(check_setting(options.name, "").error().message, 2);
}

int set_one(const Common& common, const EnvOptions& options) {
    const auto folder = folder_of(common);
    if (!folder) return complain(folder.error().message, 2);
    const auto checked = check_setting(options.name, options.value);
    if (!checked) return complain(checked.error().message, 2);
    const auto lock = make_and_lock(*folder);
    if (!lock) return complain(lock.error().message, 1);
    auto values = values_with_key(*folder);
    if (!values) return complain(values.error().message, 1);
    values->insert_or_assign(options.name, *checked);
    // Ports may be swapped one after the other, so that they differ is asked for by up, not here.
    if (const auto stored = store_values(*folder, *values); !stored)
        return complain(stored.error().message, 1);
    if (options.json) tell_as_json({{options.name, *checked}});
    return 0;
}

}  // namespace

void add_env(CLI::App& app, Run& run) {
    CLI::App* env = app.add_subcommand("env", "Shows and changes the settings of the local stack");
    env->require_subcommand(1);
    const auto common = add_common(*env);

    const auto o = std::make_shared<EnvOptions>();
    const auto add = [&, common, o](const char* name, const char* help,
                                    int (*action)(const Common&, const EnvOptions&)) {
        CLI::App* verb = env->add_subcommand(name, help);
        verb->callback(
            [&run, common, o, action] { run = [common, o, action] { return action(*common, *o); }; });
        return verb;
    };
    const auto add_json = [&o](CLI::App* verb) {
        verb->add_flag("--json", o->json, R"(As JSON: {"NAME": "value"})");
    };
    add_json(add("get-values", "Prints all as NAME=\"value\", as eval takes it", get_values));
    CLI::App* get = add("get", "Prints one value", get_one)->alias("get-value");
    get->add_option("name", o->name, "Name of the setting")->required();
    add_json(get);
    CLI::App* set = add("set", "Changes one; the next spillway up applies it", set_one);
    set->add_option("name", o->name, "Name of the setting")->required();
    set->add_option("value", o->value, "Its new value")->required();
    add_json(set);
}

}  // namespace spillway::app
