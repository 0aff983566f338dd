#pragma once
/// Which of a client's fields a backend gets: an allow-list, so that what a browser, a proxy or a login adds
/// is not forwarded (docs/configuration.md).
/// Thread rule: a free function. Errors: none.
#include <string_view>

namespace spillway::gateway {

[[nodiscard]] bool goes_up(std::string_view name) noexcept;

}  // namespace spillway::gateway
