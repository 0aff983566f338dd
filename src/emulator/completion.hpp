#pragma once
/// What the emulated model answers to a request: a text or a tool call, cut by `stop`, `max_tokens` and the
/// output filter. The same for the same request, always; each of `n` choices is the same.
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

/// A prompt with this in it has its answer stopped half way by the emulated output filter.
inline constexpr std::string_view output_filter_mark = "[[output_filter]]";

[[nodiscard]] Completion complete(const ModelRequest& request);

/// What `usage` reports.
struct Usage {
    std::size_t prompt = 0;
    std::size_t cached = 0;
    std::size_t completion = 0;
};

}  // namespace spillway::emulator
