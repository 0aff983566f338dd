#pragma once
/// Text for log lines and answers: request targets without secrets, times, RFC 3339 time stamps.
/// Ownership: all append to the caller's buffer. Errors: none. Thread rule: free functions; an Rfc3339
/// belongs to one thread.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/pen.hpp"

namespace spillway::telemetry {

/// Appends a request target as the inside of a JSON string: the path, then the query with all values masked
/// except a few known to be harmless (api-version, deployment, …). The scheme and authority of an absolute
/// target, which may contain credentials, are left out.
void append_json_target(Pen& out, std::string_view target, std::size_t max_bytes);

/// Appends `d` in milliseconds with three decimals; negative counts as zero.
void append_milliseconds(Pen& out, Duration d);

/// Prints `2025-01-31T23:59:59.123Z` (RFC 3339 §5.6), keeping the last second's text.
class Rfc3339 {
public:
    void append(Pen& out, Wall time);
    void append(std::string& out, Wall time);

private:
    std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
    std::string text_;
};

}  // namespace spillway::telemetry
