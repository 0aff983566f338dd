#pragma once
/// One finished run for storage and display: figures, percentiles, a table over time, and its thresholds.
/// A Record can be written to JSON and read back, so that runs of different days can be compared.
///
/// Units: names say them; rates are per second, tokens per minute. Ownership: values. Thread rule: plain
/// values and free functions. Errors: parse_record() says what is wrong.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "load/statistics.hpp"

namespace spillway::load {

struct ThresholdOutcome {
    std::string text;   ///< as it was given
    std::string value;  ///< what was measured, as text
    bool passed = false;
};

/// One line of the table over time.
struct Row : Outcomes {
    double second = 0;  ///< its start
    std::uint64_t in_flight = 0;
    /// Seconds; negative: not measured.
    double ttft_p50 = -1;
    double ttft_p95 = -1;
    double ttft_p99 = -1;
    double latency_p50 = -1;
    double latency_p95 = -1;
    double latency_p99 = -1;
    Counts<std::uint64_t> backends;
};

enum class Verdict : std::uint8_t { passed, failed, none };

struct Record : Outcomes {
    std::string name;
    std::string started;  ///< RFC 3339
    std::vector<std::pair<std::string, std::string>> settings;
    double seconds = 0;  ///< how long requests were sent, without the warm-up
    double step_seconds = 1;
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t completion_tokens = 0;
    Histogram latency;
    Histogram ttft;
    Histogram gap;
    Histogram lag;
    Counts<std::uint64_t> statuses;
    Counts<std::uint64_t> problems;
    Counts<std::uint64_t> backends;
    Counts<std::uint64_t> attempts;
    std::vector<Row> rows;
    std::vector<ThresholdOutcome> thresholds;
    bool allow_failures = false;  ///< the run is meant to make most requests fail

    [[nodiscard]] std::uint64_t ended() const noexcept { return ok + throttled + failed; }
    /// Requests due per second: the offered load.
    [[nodiscard]] double offered_rate() const noexcept { return per_second(due); }
    /// Requests per second that were answered correctly.
    [[nodiscard]] double ok_rate() const noexcept { return per_second(ok); }
    /// The share of all that ended which were not ok, including throttled ones.
    [[nodiscard]] double error_rate() const noexcept { return share(throttled + failed, ended()); }
    [[nodiscard]] double throttle_rate() const noexcept { return share(throttled, ended()); }
    /// The throttled ones among them.
    [[nodiscard]] double throttled_of_errors() const noexcept { return share(throttled, throttled + failed); }
    [[nodiscard]] double tokens_per_minute() const noexcept { return per_second(tokens) * 60; }
    /// Failed: nothing was answered, a threshold was missed, or most requests failed (unless allow_failures).
    /// Passed: there were thresholds, and all were met. Without thresholds it is neither.
    [[nodiscard]] Verdict verdict() const noexcept;

private:
    [[nodiscard]] static double share(std::uint64_t a, std::uint64_t b) noexcept {
        return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
    }
    [[nodiscard]] double per_second(std::uint64_t n) const noexcept {
        return seconds > 0 ? static_cast<double>(n) / seconds : 0;
    }
};

/// `sending`: how long requests were sent, with the warm-up. The caller adds name, settings and thresholds.
[[nodiscard]] Record make_record(const Statistics& statistics, Duration sending);

[[nodiscard]] std::string to_json(const Record& record);
[[nodiscard]] Result<Record> parse_record(std::string_view json);
/// The table over time (RFC 4180), one column per backend at its end.
[[nodiscard]] std::string to_csv(const Record& record);

}  // namespace spillway::load
