#include "app/stack_command.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace spillway::app::stack {
namespace {

constexpr std::chrono::seconds patience{60};

Result<Lock> acquire_lock(const Folder& folder) {
    return folder.lock(patience, [](int holder) {
        fmt::print(stderr, "waiting for another spillway command on this stack (process {})\n", holder);
    });
}

}  // namespace

std::shared_ptr<Common> add_common(CLI::App& verb) {
    auto common = std::make_shared<Common>();
    common->name = "local";
    verb.add_option("-e,--environment", common->name,
                    "Name of the stack; each has its own settings and state")
        ->envname("SPILLWAY_ENV_NAME")
        ->capture_default_str();
    return common;
}

Result<Folder> folder_of(const Common& common) {
    if (!is_stack_name(common.name))
        return fail(fmt::format(
            "\"{}\" is no name for a stack: letters, digits, '-', '_' and '.', at most 64", common.name));
    return Folder::locate(common.name, config::process_sources().env);
}

Result<Lock> make_and_lock(const Folder& folder) {
    if (auto made = folder.create(); !made) return made.error();
    return acquire_lock(folder);
}

Result<Lock> lock_existing(const Folder& folder) {
    return acquire_lock(folder);
}

Result<Values> values_with_key(const Folder& folder) {
    auto stored = folder.read_values(settings_file);
    if (!stored) return stored.error();
    Values values = std::move(*stored).value_or(Values());
    if (values.contains(setting::api_key)) return values;
    values.emplace(setting::api_key, make_key());
    if (auto done = store_values(folder, values); !done) return done.error();
    return values;
}

Result<void> store_values(const Folder& folder, const Values& values) {
    return folder.write(settings_file, format_values(values));
}

int complain(std::string_view message, int status) {
    std::fflush(stdout);
    fmt::print(stderr, "spillway: {}\n", message);
    return status;
}

}  // namespace spillway::app::stack
