// A Record read back from its JSON.
#include <fmt/format.h>

#include <array>
#include <optional>

#include "api/json_reader.hpp"
#include "base/strings.hpp"
#include "load/record.hpp"

namespace spillway::load {
namespace {

using api::JsonKind;
using api::JsonReader;
using api::JsonString;

bool read(JsonReader& reader, std::uint64_t& out) {
    std::string_view number;
    if (reader.peek() != JsonKind::number || !reader.number(number)) return false;
    const auto whole = api::json_whole(number);
    if (whole) out = *whole;
    return whole.has_value();
}

bool read(JsonReader& reader, double& out) {
    std::string_view number;
    if (reader.peek() != JsonKind::number || !reader.number(number)) return false;
    const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), out);
    return ec == std::errc{};
}

bool read(JsonReader& reader, bool& out) {
    return reader.peek() == JsonKind::boolean && reader.boolean(out);
}

bool read(JsonReader& reader, std::string& out) {
    JsonString text;
    std::string buffer;
    if (reader.peek() != JsonKind::string || !reader.string(text)) return false;
    out = text.text(buffer);
    return true;
}

std::string key_of(const JsonString& key) {
    std::string buffer;
    return std::string(key.text(buffer));
}

bool read(JsonReader& reader, Counts<std::uint64_t>& out) {
    return reader.peek() == JsonKind::object &&
           reader.object([&](const JsonString& key) { return read(reader, out[key_of(key)]); });
}

bool read_milliseconds(JsonReader& reader, double& seconds) {
    if (reader.peek() == JsonKind::null) return reader.skip();
    if (!read(reader, seconds)) return false;
    seconds /= 1000;
    return true;
}

bool read(JsonReader& reader, Histogram& out) {
    return reader.peek() == JsonKind::object && reader.object([&](const JsonString& key) {
        if (key.raw != "microseconds") return reader.skip();
        return reader.array([&] {
            std::array<std::uint64_t, 2> pair{};
            std::size_t i = 0;
            const bool good = reader.array([&] { return i < pair.size() && read(reader, pair.at(i++)); });
            if (!good || i != pair.size() || pair[0] > std::uint64_t{1} << 60U) return false;
            out.record(std::chrono::microseconds(static_cast<std::int64_t>(pair[0])), pair[1]);
            return true;
        });
    });
}

/// One of the counts that rows and records share; nothing: another key.
std::optional<bool> read_outcome(JsonReader& reader, std::string_view key, Outcomes& o) {
    if (key == "due") return read(reader, o.due);
    if (key == "ok") return read(reader, o.ok);
    if (key == "throttled") return read(reader, o.throttled);
    if (key == "failed") return read(reader, o.failed);
    if (key == "tokens") return read(reader, o.tokens);
    return std::nullopt;
}

bool read(JsonReader& reader, Row& row) {
    return reader.peek() == JsonKind::object && reader.object([&](const JsonString& key) {
        if (const auto outcome = read_outcome(reader, key.raw, row)) return *outcome;
        if (key.raw == "second") return read(reader, row.second);
        if (key.raw == "in_flight") return read(reader, row.in_flight);
        if (key.raw == "ttft_p50_ms") return read_milliseconds(reader, row.ttft_p50);
        if (key.raw == "ttft_p95_ms") return read_milliseconds(reader, row.ttft_p95);
        if (key.raw == "ttft_p99_ms") return read_milliseconds(reader, row.ttft_p99);
        if (key.raw == "latency_p50_ms") return read_milliseconds(reader, row.latency_p50);
        if (key.raw == "latency_p95_ms") return read_milliseconds(reader, row.latency_p95);
        if (key.raw == "latency_p99_ms") return read_milliseconds(reader, row.latency_p99);
        if (key.raw == "backends") return read(reader, row.backends);
        return reader.skip();
    });
}

bool read(JsonReader& reader, ThresholdOutcome& t) {
    return reader.peek() == JsonKind::object && reader.object([&](const JsonString& key) {
        if (key.raw == "text") return read(reader, t.text);
        if (key.raw == "value") return read(reader, t.value);
        if (key.raw == "passed") return read(reader, t.passed);
        return reader.skip();
    });
}

template <class T>
bool read(JsonReader& reader, std::vector<T>& out) {
    return reader.peek() == JsonKind::array && reader.array([&] { return read(reader, out.emplace_back()); });
}

bool read_settings(JsonReader& reader, Record& r) {
    return reader.peek() == JsonKind::object && reader.object([&](const JsonString& key) {
        auto& [name, value] = r.settings.emplace_back();
        name = key_of(key);
        return read(reader, value);
    });
}

bool read_member(JsonReader& reader, std::string_view key, Record& r) {
    if (const auto outcome = read_outcome(reader, key, r)) return *outcome;
    if (key == "name") return read(reader, r.name);
    if (key == "started") return read(reader, r.started);
    if (key == "settings") return read_settings(reader, r);
    if (key == "seconds") return read(reader, r.seconds);
    if (key == "step_seconds") return read(reader, r.step_seconds);
    if (key == "prompt_tokens") return read(reader, r.prompt_tokens);
    if (key == "cached_tokens") return read(reader, r.cached_tokens);
    if (key == "completion_tokens") return read(reader, r.completion_tokens);
    if (key == "ttft_ms") return read(reader, r.ttft);
    if (key == "latency_ms") return read(reader, r.latency);
    if (key == "gap_ms") return read(reader, r.gap);
    if (key == "lag_ms") return read(reader, r.lag);
    if (key == "statuses") return read(reader, r.statuses);
    if (key == "problems") return read(reader, r.problems);
    if (key == "backends") return read(reader, r.backends);
    if (key == "attempts") return read(reader, r.attempts);
    if (key == "thresholds") return read(reader, r.thresholds);
    if (key == "series") return read(reader, r.rows);
    return reader.skip();
}

}  // namespace

Result<Record> parse_record(std::string_view json) {
    Record r;
    std::uint64_t version = 0;
    JsonReader reader(json);
    if (reader.peek() != JsonKind::object) return fail("not a JSON file of spillway load");
    const bool good = reader.object([&](const JsonString& key) {
        return key.raw == "spillway_load" ? read(reader, version) : read_member(reader, key.raw, r);
    });
    if (!good || !reader.at_end())
        return fail(fmt::format("not a JSON file of spillway load: wrong at byte {}", reader.offset()));
    if (version != 1) return fail("not a JSON file of spillway load, or one of another version");
    return r;
}

}  // namespace spillway::load
