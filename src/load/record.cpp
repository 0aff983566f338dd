#include "load/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/json.hpp"

namespace spillway::load {
namespace {

constexpr std::array<double, 8> shown_quantiles{0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1};

double quantile_or_none(const Histogram& h, double q) {
    return h.empty() ? -1 : to_seconds(h.quantile(q));
}

void append_key(std::string& out, std::string_view key) {
    if (out.back() != '{' && out.back() != '[') out += ',';
    append_json_string(out, key);
    out += ':';
}

void append_text(std::string& out, std::string_view key, std::string_view text) {
    append_key(out, key);
    append_json_string(out, text);
}

template <class Number>
void append_number(std::string& out, std::string_view key, Number number) {
    append_key(out, key);
    fmt::format_to(std::back_inserter(out), "{}", number);
}

/// Seconds as milliseconds to the microsecond; null for none.
void append_milliseconds(std::string& out, std::string_view key, double seconds) {
    append_key(out, key);
    if (seconds < 0)
        out += "null";
    else
        fmt::format_to(std::back_inserter(out), "{:.3f}", seconds * 1000);
}

void append_counts(std::string& out, std::string_view key, const Counts<std::uint64_t>& counts) {
    append_key(out, key);
    out += '{';
    for (const auto& [name, count] : counts) append_number(out, name, count);
    out += '}';
}

void append_histogram(std::string& out, std::string_view key, const Histogram& h) {
    append_key(out, key);
    out += '{';
    append_number(out, "count", h.count());
    append_milliseconds(out, "mean", to_seconds(h.mean()));
    append_milliseconds(out, "min", to_seconds(h.min()));
    for (const double q : shown_quantiles)
        append_milliseconds(out, q == 1 ? "max" : fmt::format("p{:g}", q * 100), to_seconds(h.quantile(q)));
    append_key(out, "microseconds");
    out += '[';
    h.each([&](Duration value, std::uint64_t times) {
        if (out.back() != '[') out += ',';
        fmt::format_to(std::back_inserter(out), "[{},{}]", value / std::chrono::microseconds(1), times);
    });
    out += "]}";
}

void append_row(std::string& out, const Row& row) {
    if (out.back() != '[') out += ',';
    out += "\n  {";
    append_number(out, "second", row.second);
    append_number(out, "due", row.due);
    append_number(out, "ok", row.ok);
    append_number(out, "throttled", row.throttled);
    append_number(out, "failed", row.failed);
    append_number(out, "tokens", row.tokens);
    append_number(out, "in_flight", row.in_flight);
    append_milliseconds(out, "ttft_p50_ms", row.ttft_p50);
    append_milliseconds(out, "ttft_p95_ms", row.ttft_p95);
    append_milliseconds(out, "ttft_p99_ms", row.ttft_p99);
    append_milliseconds(out, "latency_p50_ms", row.latency_p50);
    append_milliseconds(out, "latency_p95_ms", row.latency_p95);
    append_milliseconds(out, "latency_p99_ms", row.latency_p99);
    append_counts(out, "backends", row.backends);
    out += '}';
}

/// A field of CSV; a text that a spreadsheet would take for a formula is quoted and set off.
std::string csv_field(std::string_view text) {
    std::string out(text);
    if (!out.empty() && std::string_view("=+-@").find(out.front()) != std::string_view::npos)
        out.insert(out.begin(), '\'');
    if (out.find_first_of(",\"\r\n") == std::string::npos) return out;
    std::string quoted = "\"";
    for (const char c : out) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::string csv_milliseconds(double seconds) {
    return seconds < 0 ? std::string() : fmt::format("{:.3f}", seconds * 1000);
}

}  // namespace

Verdict Record::verdict() const noexcept {
    const bool met =
        std::all_of(thresholds.begin(), thresholds.end(), [](const ThresholdOutcome& t) { return t.passed; });
    if (ok == 0 || !met || (error_rate() > 0.5 && !allow_failures)) return Verdict::failed;
    return thresholds.empty() ? Verdict::none : Verdict::passed;
}

Record make_record(const Statistics& s, Duration sending) {
    Record r;
    r.seconds = std::max(0.0, to_seconds(sending - s.warm_up()));
    r.step_seconds = to_seconds(s.step());
    static_cast<Outcomes&>(r) = s.outcomes();
    r.prompt_tokens = s.prompt_tokens;
    r.cached_tokens = s.cached_tokens;
    r.completion_tokens = s.completion_tokens;
    r.latency = s.latency;
    r.ttft = s.ttft;
    r.gap = s.gap();
    r.lag = s.lag;
    r.statuses = s.statuses;
    r.problems = s.problems;
    r.backends = s.backends;
    r.attempts = s.attempts;
    for (std::size_t i = 0; i < s.steps().size(); ++i) {
        const Step& step = s.steps()[i];
        Row row;
        row.second = static_cast<double>(i) * r.step_seconds;
        static_cast<Outcomes&>(row) = step.outcomes();
        row.in_flight = step.in_flight;
        row.ttft_p50 = quantile_or_none(step.ttft, 0.5);
        row.ttft_p95 = quantile_or_none(step.ttft, 0.95);
        row.ttft_p99 = quantile_or_none(step.ttft, 0.99);
        row.latency_p50 = quantile_or_none(step.latency, 0.5);
        row.latency_p95 = quantile_or_none(step.latency, 0.95);
        row.latency_p99 = quantile_or_none(step.latency, 0.99);
        row.backends = step.backends;
        r.rows.push_back(std::move(row));
    }
    return r;
}

std::string to_json(const Record& r) {
    std::string out = "{";
    append_number(out, "spillway_load", 1);
    append_text(out, "name", r.name);
    append_text(out, "started", r.started);
    append_key(out, "passed");
    const Verdict verdict = r.verdict();
    out += verdict == Verdict::none ? "null" : verdict == Verdict::passed ? "true" : "false";
    append_key(out, "settings");
    out += '{';
    for (const auto& [key, value] : r.settings) append_text(out, key, value);
    out += '}';
    append_number(out, "seconds", r.seconds);
    append_number(out, "step_seconds", r.step_seconds);
    append_number(out, "due", r.due);
    append_number(out, "ok", r.ok);
    append_number(out, "throttled", r.throttled);
    append_number(out, "failed", r.failed);
    append_number(out, "offered_rate", r.offered_rate());
    append_number(out, "rate", r.ok_rate());
    append_number(out, "error_rate", r.error_rate());
    append_number(out, "tokens_per_minute", r.tokens_per_minute());
    append_number(out, "prompt_tokens", r.prompt_tokens);
    append_number(out, "cached_tokens", r.cached_tokens);
    append_number(out, "completion_tokens", r.completion_tokens);
    append_number(out, "tokens", r.tokens);
    append_histogram(out, "ttft_ms", r.ttft);
    append_histogram(out, "latency_ms", r.latency);
    append_histogram(out, "gap_ms", r.gap);
    append_histogram(out, "lag_ms", r.lag);
    append_counts(out, "statuses", r.statuses);
    append_counts(out, "problems", r.problems);
    append_counts(out, "backends", r.backends);
    append_counts(out, "attempts", r.attempts);
    append_key(out, "thresholds");
    out += '[';
    for (const ThresholdOutcome& t : r.thresholds) {
        out += out.back() == '[' ? "{" : ",{";
        append_text(out, "text", t.text);
        append_text(out, "value", t.value);
        append_number(out, "passed", t.passed);
        out += '}';
    }
    out += ']';
    append_key(out, "series");
    out += '[';
    for (const Row& row : r.rows) append_row(out, row);
    return out + "\n]}\n";
}

std::string to_csv(const Record& r) {
    std::set<std::string, std::less<>> backends;
    for (const Row& row : r.rows)
        for (const auto& [name, count] : row.backends) backends.insert(name);
    std::string out =
        "second,due,ok,throttled,failed,in_flight,tokens,ttft_p50_ms,ttft_p95_ms,ttft_p99_ms,latency_p50_ms,"
        "latency_p95_ms,latency_p99_ms";
    for (const std::string& name : backends) out += "," + csv_field("backend " + name);
    out += "\r\n";
    for (const Row& row : r.rows) {
        fmt::format_to(std::back_inserter(out), "{:g},{},{},{},{},{},{},{},{},{},{},{},{}", row.second,
                       row.due, row.ok, row.throttled, row.failed, row.in_flight, row.tokens,
                       csv_milliseconds(row.ttft_p50), csv_milliseconds(row.ttft_p95),
                       csv_milliseconds(row.ttft_p99), csv_milliseconds(row.latency_p50),
                       csv_milliseconds(row.latency_p95), csv_milliseconds(row.latency_p99));
        for (const std::string& name : backends) {
            const auto found = row.backends.find(name);
            fmt::format_to(std::back_inserter(out), ",{}", found == row.backends.end() ? 0 : found->second);
        }
        out += "\r\n";
    }
    return out;
}

}  // namespace spillway::load
