#pragma once
/// The terminal of a file descriptor. Thread rule: any thread; only one KeyboardMode at a time.
/// Errors: none; without a terminal there is no size, and a mode has no effect.
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstddef>
#include <optional>

namespace spillway::app {

struct TerminalSize {
    std::size_t columns = 0;
    std::size_t rows = 0;
};

[[nodiscard]] inline std::optional<TerminalSize> terminal_size(int fd) noexcept {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return std::nullopt;
    return TerminalSize{size.ws_col, size.ws_row};
}

[[nodiscard]] inline std::optional<std::size_t> terminal_columns(int fd) noexcept {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
    return size.ws_col;
}

/// While it exists, keys arrive one by one without echo. Ctrl-C is still a signal.
class KeyboardMode {
public:
    explicit KeyboardMode(int fd) noexcept : fd_(fd) {
        if (::tcgetattr(fd, &before_) != 0) return;
        termios mode = before_;
        mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        mode.c_cc[VMIN] = 0;
        mode.c_cc[VTIME] = 0;
        set_ = ::tcsetattr(fd, TCSANOW, &mode) == 0;
    }
    KeyboardMode(const KeyboardMode&) = delete;
    KeyboardMode& operator=(const KeyboardMode&) = delete;
    ~KeyboardMode() {
        if (set_) ::tcsetattr(fd_, TCSANOW, &before_);
    }
    [[nodiscard]] bool set() const noexcept { return set_; }

private:
    int fd_;
    termios before_{};
    bool set_ = false;
};

}  // namespace spillway::app
