#pragma once
/// A run's measurements: one Sample per request, collected in counts, histograms and a series over time.
///
/// Latencies are measured from when a request was due, not from when it was sent: if the endpoint or this
/// program delays later requests, that shows in the figures rather than being left out (coordinated omission;
/// Gil Tene, "How not to measure latency"). All times are relative to the start of the run.
/// Ownership: values. Thread rule: a Statistics is for one thread; merge() those of several at the end.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/usage.hpp"
#include "load/histogram.hpp"

namespace spillway::load {

struct Sample {
    Duration due{};          ///< when it should have been sent
    Duration sent{};         ///< when it was started
    Duration end{};          ///< last byte, or when it failed
    Duration first_token{};  ///< streams: the first output; 0: none
    unsigned status = 0;     ///< 0: no answer
    std::string problem;     ///< empty: answered correctly
    bool streamed = false;
    api::Usage usage;
    std::uint64_t outputs = 0;  ///< events with output; used if usage is missing
    std::string backend;        ///< x-spillway-backend; empty: not given
    unsigned attempts = 0;      ///< x-spillway-attempts; 0: not given

    [[nodiscard]] bool ok() const noexcept { return problem.empty(); }
    [[nodiscard]] bool throttled() const noexcept { return status == 429; }
    [[nodiscard]] std::uint64_t tokens() const noexcept { return usage.total > 0 ? usage.total : outputs; }
};

template <class Value>
using Counts = std::map<std::string, Value, std::less<>>;

void add_count(Counts<std::uint64_t>& counts, std::string_view key, std::uint64_t more = 1);

/// How requests ended.
struct Outcomes {
    std::uint64_t due = 0;
    std::uint64_t ok = 0;
    std::uint64_t throttled = 0;  ///< status 429
    std::uint64_t failed = 0;     ///< all other failures
    std::uint64_t tokens = 0;

    /// Counts a request that has ended; the sender counts it in `due` at its start.
    void count(const Sample& sample) noexcept;
    Outcomes& operator+=(const Outcomes& other) noexcept;
    /// Only these members of a larger struct.
    [[nodiscard]] const Outcomes& outcomes() const noexcept { return *this; }
};

/// What was due, or ended, within one step of time.
struct Step : Outcomes {
    std::uint64_t in_flight = 0;  ///< the maximum
    Histogram latency{2};
    Histogram ttft{2};
    Counts<std::uint64_t> backends;  ///< answers of each, whatever their status

    void add(const Sample& sample);
    void merge(const Step& other);
};

class Statistics : public Outcomes {
public:
    /// Requests due before `warm_up` are only in the series.
    Statistics(Duration step, Duration warm_up) : step_(step), warm_up_(warm_up) {}

    void begun(Duration due);
    void add(const Sample& sample);
    /// Time between two outputs of a stream of a request that was due at `due`.
    void add_gap(Duration due_at, Duration gap) {
        if (due_at >= warm_up_) gap_.record(gap);
    }
    void in_flight(Duration now, std::uint64_t count);
    /// Both must have the same step and warm-up.
    void merge(const Statistics& other);

    Histogram latency;  ///< due → end, of those that are ok
    Histogram ttft;     ///< due → first output, of streams
    Histogram lag;      ///< due → sent: how late this program itself was
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t completion_tokens = 0;
    Counts<std::uint64_t> statuses;  ///< by code; "none": no answer
    Counts<std::uint64_t> problems;
    Counts<std::uint64_t> backends;
    Counts<std::uint64_t> attempts;

    [[nodiscard]] const Histogram& gap() const noexcept { return gap_; }
    [[nodiscard]] const std::vector<Step>& steps() const noexcept { return steps_; }
    [[nodiscard]] Duration step() const noexcept { return step_; }
    [[nodiscard]] Duration warm_up() const noexcept { return warm_up_; }

private:
    [[nodiscard]] Step& step_at(Duration time);

    Duration step_;
    Duration warm_up_;
    Histogram gap_;
    std::vector<Step> steps_;
};

/// The least of 1, 2, 5, 10, 15, 30, 60 … seconds that divides `total` into at most 150 steps.
[[nodiscard]] Duration step_for(Duration total) noexcept;

}  // namespace spillway::load
