#pragma once
/// The terminal's display during a run. Pure text from values. Thread rule: a value for one thread.
#include <string>
#include <string_view>

#include "load/worker.hpp"

namespace spillway::load {

class Progress {
public:
    /// `total`: how long requests are sent. `columns`: the terminal's width.
    Progress(Duration total, bool users, std::size_t columns)
        : total_(total), users_(users), columns_(columns) {}

    /// The terminal has been resized. Before the first call, there are rows enough.
    void resize(std::size_t columns, std::size_t rows) noexcept {
        columns_ = columns;
        rows_ = rows;
    }
    /// Rows that a drawn block occupies on the present terminal, which wraps lines if narrower.
    [[nodiscard]] std::size_t rows_of(std::string_view block) const noexcept;

    /// Adds what happened in the last `interval`.
    void add(const Pulse& pulse, Duration elapsed, Duration interval);

    /// Several lines, none wider than the terminal and fewer than it has, to be drawn over the previous ones.
    [[nodiscard]] std::string block() const;
    /// One line, for a log.
    [[nodiscard]] std::string line() const;

private:
    [[nodiscard]] std::string whole_block() const;
    [[nodiscard]] double rate(std::uint64_t n) const noexcept;

    Duration total_;
    bool users_;
    std::size_t columns_;
    std::size_t rows_ = static_cast<std::size_t>(-1);
    Pulse last_;
    Duration elapsed_{};
    Duration interval_ = std::chrono::seconds(1);
    std::uint64_t ok_ = 0;
    std::uint64_t throttled_ = 0;
    std::uint64_t failed_ = 0;
    Counts<std::uint64_t> backends_;  // all seen so far, so that an idle one keeps its line
};

}  // namespace spillway::load
