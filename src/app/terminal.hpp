#pragma once
/// The terminal behind a file descriptor. Thread rule: any thread. Errors: none; not a terminal is no width.
#include <sys/ioctl.h>

#include <cstddef>
#include <optional>

namespace spillway::app {

[[nodiscard]] inline std::optional<std::size_t> terminal_columns(int fd) noexcept {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
    return size.ws_col;
}

}  // namespace spillway::app
