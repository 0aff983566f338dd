#pragma once
/// Criteria a run must meet, such as `p99_ttft<500ms`, `error_rate<1%`, `rate>=95%`.
///
/// Metrics: pN_M, mean_M, min_M, max_M with M of ttft, latency, gap, lag and N up to 100 (p99, p99.9), in
/// ms, s or us; error_rate and throttle_rate, shares in % or as fractions; rate, ok answers per second, or
/// with % as a share of the requests that were due; tokens_per_minute; errors, requests, ok: counts.
/// Operators: < <= > >=. Ownership: values. Thread rule: free functions. Errors: what was not understood.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "load/record.hpp"

namespace spillway::load {

struct Threshold {
    enum class Metric : std::uint8_t {
        quantile,
        mean,
        min,
        max,  // of a histogram
        error_rate,
        throttle_rate,
        rate,
        rate_share,
        tokens_per_minute,
        errors,
        requests,
        ok,
    };
    enum class Of : std::uint8_t { none, ttft, latency, gap, lag };
    enum class Operator : std::uint8_t { less, less_equal, greater, greater_equal };

    std::string text;
    Metric metric = Metric::error_rate;
    Of of = Of::none;
    double quantile = 0;  ///< 0…1
    Operator compare = Operator::less;
    double limit = 0;  ///< seconds, a fraction, a rate or a count
};

[[nodiscard]] Result<Threshold> parse_threshold(std::string_view text);
/// A time that was never measured misses its threshold.
[[nodiscard]] ThresholdOutcome judge(const Threshold& threshold, const Record& record);

}  // namespace spillway::load
