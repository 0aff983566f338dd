#pragma once
/// Reads a backend's quota from the headers of its answer.
/// Sources: RFC 9110 §10.2.3 (Retry-After) and §5.6.7 (HTTP-date); Azure OpenAI and OpenAI rate-limit
/// headers. Both spellings, x-ratelimit-… and x-rate-limit-…, are read; huge values saturate at max_wait.
/// Errors: -1 and values that cannot be parsed are nullopt.
/// Thread rule: free functions, safe everywhere.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "http/fields.hpp"

namespace spillway::api {

/// The limit for durations read from headers; callers cap them much lower.
inline constexpr Duration max_wait = std::chrono::hours(24 * 365);

/// How long the backend asks to wait: retry-after-ms, else Retry-After (seconds, also fractions, or an HTTP
/// date), else x-ratelimit-reset-requests, else x-ratelimit-reset-tokens. A date in the past is 0.
/// A reset of 0 is "unknown" (Azure's sentinel, with limit -1).
[[nodiscard]] std::optional<Duration> retry_after(const http::Fields& fields, Wall now) noexcept;

struct RateLimits {
    std::optional<std::int64_t> limit_requests;
    std::optional<std::int64_t> limit_tokens;
    std::optional<std::int64_t> remaining_requests;
    std::optional<std::int64_t> remaining_tokens;
    std::optional<Duration> reset_requests;
    std::optional<Duration> reset_tokens;
    /// azure-openai-deployment-utilization, in percent: "12.3%" is 12.3.
    std::optional<double> ptu_utilization;
};
/// Whether a field's name has the prefix of rate limits, in either spelling.
[[nodiscard]] bool is_rate_limit_field(std::string_view name) noexcept;
[[nodiscard]] RateLimits read_rate_limits(const http::Fields& fields) noexcept;

/// Seconds as an integer or a fraction ("20", "0.5"), or a duration as in Go ("17ms", "6m0s", "1h2m3.5s").
/// nullopt if negative or invalid.
[[nodiscard]] std::optional<Duration> parse_wait(std::string_view text) noexcept;

/// IMF-fixdate, rfc850-date or asctime-date (RFC 9110 §5.6.7). `now` decides the century of two-digit years.
[[nodiscard]] std::optional<Wall> parse_http_date(std::string_view text, Wall now) noexcept;

}  // namespace spillway::api
