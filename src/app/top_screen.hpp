#pragma once
/// The interaction of `spillway top`: from keys to the text to display. Uses no terminal.
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

    /// Sets the terminal's size, also after a change.
    void resize(std::size_t columns, std::size_t rows);
    /// Bytes typed; escape sequences are complete, as terminals send them.
    void type(std::string_view bytes);
    [[nodiscard]] bool quit() const noexcept { return quit_; }
    [[nodiscard]] const Look& look() const noexcept { return look_; }

    /// At most `rows` lines, none wider than the terminal: `title`, the lines at the scroll position, and a
    /// help line.
    [[nodiscard]] std::vector<std::string> window(std::string_view title,
                                                  const std::vector<std::string>& lines);
    /// The same for writing to a terminal: overwrites the previous text completely.
    [[nodiscard]] std::string paint(std::string_view title, const std::vector<std::string>& lines);

private:
    [[nodiscard]] std::size_t room() const noexcept;
    [[nodiscard]] std::string foot(std::size_t lines) const;
    void key(std::string_view key);
    void edit(std::string_view key);
    void up(std::size_t lines) noexcept { top_ -= std::min(top_, lines); }

    Look look_;
    std::size_t rows_ = 24;
    std::size_t top_ = 0;  ///< the first line shown
    bool editing_ = false;
    bool quit_ = false;
};

}  // namespace spillway::app::top
