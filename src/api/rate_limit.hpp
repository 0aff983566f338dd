#pragma once
/// What an answer's headers tell about a backend's quota.
/// Sources: RFC 9110 §10.2.3 (Retry-After) and §5.6.7 (HTTP-date); Azure OpenAI and OpenAI rate-limit
/// headers. Both spellings, x-ratelimit-… and x-rate-limit-…, are read; -1 and what cannot be read mean
/// "unknown"; nothing throws; huge values saturate at max_wait.
/// Thread rule: free functions, safe everywhere.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "http/fields.hpp"

namespace spillway::api {

/// Where durations read from headers saturate; callers cap them much lower.
inline constexpr Duration max_wait = std::chrono::hours(24 * 365);

/// How long the backend asks to wait: retry-after-ms, else Retry-After (seconds, fractions too, or an HTTP
/// date), else x-ratelimit-reset-requests, else x-ratelimit-reset-tokens. A date in the past is 0.
/// A reset of 0 is "unknown" here (Azure's sentinel, together with limit -1).
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
/// Whether a field's name begins as those of rate limits do, in either spelling.
[[nodiscard]] bool is_rate_limit_field(std::string_view name) noexcept;
[[nodiscard]] RateLimits read_rate_limits(const http::Fields& fields) noexcept;

/// Seconds as an integer or a fraction ("20", "0.5"), or a Go-like duration ("17ms", "6m0s", "1h2m3.5s").
/// Negative or unreadable: nothing.
[[nodiscard]] std::optional<Duration> parse_wait(std::string_view text) noexcept;

/// IMF-fixdate, rfc850-date or asctime-date (RFC 9110 §5.6.7). `now` places two-digit years.
[[nodiscard]] std::optional<Wall> parse_http_date(std::string_view text, Wall now) noexcept;

}  // namespace spillway::api
