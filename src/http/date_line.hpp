#pragma once
/// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" (RFC 9110 §5.6.7, §6.6.1), written once a second.
/// Ownership: a tool of its Loop; the text changes each second. Thread rule: the loop's. Errors: none.
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/loop.hpp"

namespace spillway::http {

class DateLine {
public:
    explicit DateLine(Loop& /*a tool of it*/) {}
    DateLine(const DateLine&) = delete;
    DateLine& operator=(const DateLine&) = delete;

    [[nodiscard]] std::string_view text(Wall now);

private:
    std::string text_;
    std::chrono::sys_seconds second_{};
};

}  // namespace spillway::http
