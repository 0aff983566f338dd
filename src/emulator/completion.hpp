#pragma once
/// The emulated model's answer to a request: a text or a tool call, cut by `stop`, `max_tokens` and the
/// output filter. Always the same for the same request, and for each of `n` choices.
/// Thread rule: plain values and free functions.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/request.hpp"

namespace spillway::emulator {

enum class Finish : std::uint8_t { stop, length, tool_calls, content_filter };
[[nodiscard]] std::string_view to_string(Finish finish) noexcept;

struct Completion {
    std::string text;  ///< the answer; with `tool`, the call's arguments
    std::string tool;  ///< the function's name; empty: a text answer
    Finish finish = Finish::stop;
    std::size_t tokens = 0;  ///< of one choice, a tool's name included

    [[nodiscard]] bool is_tool() const noexcept { return !tool.empty(); }
};

/// In a prompt, makes the emulated output filter stop the answer half way.
inline constexpr std::string_view output_filter_mark = "[[output_filter]]";

[[nodiscard]] Completion complete(const ModelRequest& request);

/// The figures of `usage`.
struct Usage {
    std::size_t prompt = 0;
    std::size_t cached = 0;
    std::size_t completion = 0;
};

}  // namespace spillway::emulator
