#pragma once
/// What is wrong with a configuration, for its author: where, which key, what was expected.
///
/// Loaders collect all problems before they give up. No problem contains a secret's value.
/// Thread rule: plain values.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::config {

enum class Severity : std::uint8_t { error, warning };

struct Problem {
    Severity severity = Severity::error;
    std::string file;  ///< empty: not from a file (from the environment, say)
    int line = 0;      ///< from 1; 0: not known
    int column = 0;    ///< from 1, in characters; 0: not known
    std::string key;   ///< `backends[0].url`; empty: the whole document
    std::string message;

    /// `file:line:column: key: message`, with `warning: ` before the message of a warning.
    [[nodiscard]] std::string to_string() const;
};

/// The result of loading: a value if there was no error, and the problems in any case.
template <class T>
struct Loaded {
    std::optional<T> value;
    std::vector<Problem> problems;

    [[nodiscard]] bool ok() const noexcept { return value.has_value(); }
    [[nodiscard]] std::size_t errors() const noexcept {
        return static_cast<std::size_t>(std::count_if(problems.begin(), problems.end(), [](const Problem& p) {
            return p.severity == Severity::error;
        }));
    }
};

/// One problem per line.
[[nodiscard]] std::string to_string(std::span<const Problem> problems);

/// The known name most like `name`, if close enough to have been meant; otherwise empty.
[[nodiscard]] std::string_view nearest(std::string_view name, std::span<const std::string_view> known);
/// "; did you mean …?" to append to a message, with the nearest name and `before` in front of it; empty if
/// none is close.
[[nodiscard]] std::string did_you_mean(std::string_view name, std::span<const std::string_view> known,
                                       std::string_view before = {});

}  // namespace spillway::config
