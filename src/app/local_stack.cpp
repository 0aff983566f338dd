#include "app/local_stack.hpp"

#include <fmt/format.h>

namespace spillway::app::stack {

Result<Settings> stored_settings(const Common& common) {
    const auto folder = folder_of(common);
    if (!folder) return folder.error();
    const auto values = folder->read_values(settings_file);
    if (!values) return values.error();
    if (!*values)
        return fail(fmt::format("there is no stack \"{}\": spillway up makes and starts it", common.name));
    return settings_from(**values);
}

}  // namespace spillway::app::stack
