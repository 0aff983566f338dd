#pragma once
/// What a person does to `spillway top`: keys in, what is to be shown out. No terminal.
///
/// Ownership: a value. Thread rule: one thread. Errors: none; unknown keys do nothing.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "app/top_view.hpp"

namespace spillway::app::top {

class Screen {
public:
    explicit Screen(Look look) : look_(std::move(look)) {}

    /// The terminal's size, or its new one.
    void resize(std::size_t columns, std::size_t rows);
    /// Bytes that were typed; an escape sequence comes whole, as terminals send it.
    void type(std::string_view bytes);
    [[nodiscard]] bool quit() const noexcept { return quit_; }
    [[nodiscard]] const Look& look() const noexcept { return look_; }

    /// `rows` lines at most, none wider than the terminal: `title`, the lines from where one has scrolled to,
    /// and what can be typed.
    [[nodiscard]] std::vector<std::string> window(std::string_view title,
                                                  const std::vector<std::string>& lines);
    /// The same as what is to be written to a terminal: over what is there, with nothing old left.
    [[nodiscard]] std::string paint(std::string_view title, const std::vector<std::string>& lines);

private:
    [[nodiscard]] std::size_t room() const noexcept;
    [[nodiscard]] std::string foot(std::size_t lines) const;
    void key(std::string_view key);
    void edit(std::string_view key);
    void up(std::size_t lines) noexcept { top_ -= std::min(top_, lines); }

    Look look_;
    std::size_t rows_ = 24;
    std::size_t top_ = 0;  ///< line that is shown first
    bool editing_ = false;
    bool quit_ = false;
};

}  // namespace spillway::app::top
