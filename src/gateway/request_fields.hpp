#pragma once
/// Which of a client's fields a backend sees: an allow-list, so that what a browser, a proxy or a login adds
/// stays inside. docs/configuration.md has it.
/// Thread rule: a free function. Errors: none.
#include <string_view>

namespace spillway::gateway {

[[nodiscard]] bool goes_up(std::string_view name) noexcept;

}  // namespace spillway::gateway
