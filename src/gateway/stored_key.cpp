#include "gateway/stored_key.hpp"

#include <string>
#include <utility>

#include "api/json_reader.hpp"
#include "base/strings.hpp"

namespace spillway::gateway {
namespace {

using api::JsonReader;
using api::JsonString;

/// Larger ones may be more than a setting allows.
constexpr std::uint64_t kMostPlain = 4'000'000'000;
constexpr double kMostPlainMoney = 10'000'000;

bool text(JsonReader& reader, std::string& out) {
    JsonString string;
    std::string buffer;
    if (!reader.string(string)) return false;
    out = string.text(buffer);
    return true;
}

bool number(JsonReader& reader, std::uint64_t& out) {
    std::string_view digits;
    if (!reader.number(digits)) return false;
    const auto value = parse_int<std::uint64_t>(digits);
    out = value.value_or(0);
    return value && *value <= kMostPlain;
}

bool number(JsonReader& reader, double& out) {
    std::string_view digits;
    if (!reader.number(digits)) return false;
    const auto value = parse_double(digits);
    out = value.value_or(0);
    return value && *value <= kMostPlainMoney;
}

template <class Number>
bool periods(JsonReader& reader, config::PerPeriod<Number>& out) {
    return reader.object([&](const JsonString& key) {
        if (key.raw == "hour") return number(reader, out.hour);
        if (key.raw == "day") return number(reader, out.day);
        if (key.raw == "week") return number(reader, out.week);
        return key.raw == "month" && number(reader, out.month);
    });
}

bool limits(JsonReader& reader, config::QuotaConfig& out) {
    return reader.object([&](const JsonString& key) {
        if (key.raw == "tokens_per_minute") return number(reader, out.tokens_per_minute);
        if (key.raw == "requests_per_minute") return number(reader, out.requests_per_minute);
        if (key.raw == "concurrency") return number(reader, out.concurrency);
        if (key.raw == "tokens") return periods(reader, out.tokens);
        if (key.raw == "budget") return periods(reader, out.budget);
        return key.raw == "shadow" && reader.boolean(out.shadow);
    });
}

bool texts(JsonReader& reader, std::vector<std::string>& out) {
    return reader.array([&] { return text(reader, out.emplace_back()); });
}

}  // namespace

std::optional<config::KeySettings> read_plain_settings(std::string_view json) {
    config::KeySettings out;
    JsonReader reader(json);
    const bool whole = reader.object([&](const JsonString& key) {
        if (key.raw == "client") return text(reader, out.client);
        if (key.raw == "team") return text(reader, out.team);
        if (key.raw == "name") return text(reader, out.name);
        if (key.raw == "note") return text(reader, out.note);
        if (key.raw == "deployments") return texts(reader, out.deployments);
        return key.raw == "limits" && limits(reader, out.limits);
    });
    // No doubled member, no value that a request may not have: only what the writer makes is the same text.
    if (!whole || !reader.at_end() || config::key_settings_json(out) != json) return std::nullopt;
    return out;
}

config::Loaded<config::KeySettings> read_stored_settings(std::string_view json) {
    config::Loaded<config::KeySettings> out;
    if (auto plain = read_plain_settings(json)) {
        out.value = std::move(plain);
        return out;
    }
    auto read = config::read_key_request(json, {}, {});
    if (read.value) out.value = std::move(read.value->settings);
    out.problems = std::move(read.problems);
    return out;
}

}  // namespace spillway::gateway
