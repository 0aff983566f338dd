#include "load/threshold.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/strings.hpp"
#include "config/units.hpp"

namespace spillway::load {
namespace {

using Metric = Threshold::Metric;
using Of = Threshold::Of;
using Operator = Threshold::Operator;

template <class T>
struct Name {
    std::string_view name;
    T value;
};

constexpr std::array<Name<Of>, 4> histograms{
    {{"ttft", Of::ttft}, {"latency", Of::latency}, {"gap", Of::gap}, {"lag", Of::lag}}};
constexpr std::array<Name<Metric>, 7> plain{{{"error_rate", Metric::error_rate},
                                             {"throttle_rate", Metric::throttle_rate},
                                             {"rate", Metric::rate},
                                             {"tokens_per_minute", Metric::tokens_per_minute},
                                             {"errors", Metric::errors},
                                             {"requests", Metric::requests},
                                             {"ok", Metric::ok}}};
// Longer ones first, so that "<=" is not taken for "<".
constexpr std::array<Name<Operator>, 4> operators{{{"<=", Operator::less_equal},
                                                   {">=", Operator::greater_equal},
                                                   {"<", Operator::less},
                                                   {">", Operator::greater}}};

template <class T, std::size_t N>
std::optional<T> find(const std::array<Name<T>, N>& names, std::string_view name) {
    const auto found =
        std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.name == name; });
    if (found == names.end()) return std::nullopt;
    return found->value;
}

bool read_metric(std::string_view name, Threshold& t) {
    if (const auto metric = find(plain, name)) {
        t.metric = *metric;
        return true;
    }
    const std::size_t cut = name.find('_');
    if (cut == std::string_view::npos) return false;
    const std::string_view which = name.substr(0, cut);
    const auto of = find(histograms, name.substr(cut + 1));
    if (!of || which.empty()) return false;
    t.of = *of;
    if (which == "mean" || which == "avg") {
        t.metric = Metric::mean;
    } else if (which == "min") {
        t.metric = Metric::min;
    } else if (which == "max") {
        t.metric = Metric::max;
    } else {
        const auto percent = parse_double(which.substr(1));
        if (which.front() != 'p' || !percent || *percent < 0 || *percent > 100) return false;
        t.metric = Metric::quantile;
        t.quantile = *percent / 100;
    }
    return true;
}

std::optional<double> read_time(std::string_view text) {
    // A number alone would be taken for seconds by some and for milliseconds by others.
    if (text.empty() || (text.back() >= '0' && text.back() <= '9')) return std::nullopt;
    const auto value = config::parse_duration(text);
    return value ? std::optional(to_seconds(*value)) : std::nullopt;
}

bool read_limit(std::string_view text, Threshold& t) {
    std::optional<double> number;
    if (t.of != Of::none) {
        number = read_time(text);
    } else if (text.ends_with('%')) {
        number = parse_double(text.substr(0, text.size() - 1));
        if (t.metric == Metric::rate) t.metric = Metric::rate_share;
        const bool share = t.metric == Metric::rate_share || t.metric == Metric::error_rate ||
                           t.metric == Metric::throttle_rate;
        if (!number || !share) return false;
        *number /= 100;
    } else {
        number = parse_double(text);
    }
    if (!number || !std::isfinite(*number)) return false;
    t.limit = *number;
    return true;
}

bool is_share(Metric metric) noexcept {
    return metric == Metric::error_rate || metric == Metric::throttle_rate || metric == Metric::rate_share;
}

/// Why it makes no sense; empty if it does.
std::string_view nonsense(const Threshold& t, std::string_view limit) {
    // Of every 100 requests, or of every one?
    if (is_share(t.metric) && !limit.ends_with('%') && t.limit >= 1)
        return "say the share with a per cent sign, such as 1%, or as a part of one, such as 0.01";
    if (t.limit < 0) return "nothing is below zero";
    if (is_share(t.metric) && t.limit > 1) return "no share is above 100%";
    if (t.compare == Operator::less && t.limit == 0) return "nothing is below zero";
    if (t.compare == Operator::greater_equal && t.limit == 0) return "it is always met";
    if (is_share(t.metric) && t.limit == 1 && t.compare == Operator::greater) return "no share is above 100%";
    if (is_share(t.metric) && t.limit == 1 && t.compare == Operator::less_equal) return "it is always met";
    return {};
}

const Histogram* histogram_of(Of of, const Record& r) {
    switch (of) {
        case Of::ttft:
            return &r.ttft;
        case Of::latency:
            return &r.latency;
        case Of::gap:
            return &r.gap;
        case Of::lag:
            return &r.lag;
        case Of::none:
            break;
    }
    return nullptr;
}

double number_of(const Threshold& t, const Record& r) {
    const Histogram* h = histogram_of(t.of, r);
    switch (t.metric) {
        case Metric::quantile:
            return to_seconds(h->quantile(t.quantile));
        case Metric::mean:
            return to_seconds(h->mean());
        case Metric::min:
            return to_seconds(h->min());
        case Metric::max:
            return to_seconds(h->max());
        case Metric::error_rate:
            return r.error_rate();
        case Metric::throttle_rate:
            return r.throttle_rate();
        case Metric::rate:
            return r.ok_rate();
        case Metric::rate_share:
            return r.due == 0 ? 0 : static_cast<double>(r.ok) / static_cast<double>(r.due);
        case Metric::tokens_per_minute:
            return r.tokens_per_minute();
        case Metric::errors:
            return static_cast<double>(r.throttled + r.failed);
        case Metric::requests:
            return static_cast<double>(r.ended());
        case Metric::ok:
            return static_cast<double>(r.ok);
    }
    return 0;
}

std::string describe(const Threshold& t, double value) {
    if (t.of != Of::none) return fmt::format("{:.2f} ms", value * 1000);
    switch (t.metric) {
        case Metric::error_rate:
        case Metric::throttle_rate:
        case Metric::rate_share:
            return fmt::format("{:.2f} %", value * 100);
        case Metric::rate:
            return fmt::format("{:.2f}/s", value);
        default:
            return fmt::format("{:.0f}", value);
    }
}

bool holds(Operator compare, double value, double limit) {
    switch (compare) {
        case Operator::less:
            return value < limit;
        case Operator::less_equal:
            return value <= limit;
        case Operator::greater:
            return value > limit;
        case Operator::greater_equal:
            return value >= limit;
    }
    return false;
}

}  // namespace

Result<Threshold> parse_threshold(std::string_view text) {
    Threshold t;
    t.text = trim(text);
    const Error bad = fail(
        fmt::format("\"{}\" is not a threshold such as p99_ttft<500ms, error_rate<1%, rate>=95%", t.text));
    const std::size_t at = t.text.find_first_of("<>");
    if (at == std::string::npos) return bad;
    const std::string_view whole = t.text;
    const std::string_view rest = whole.substr(at);
    const auto found = std::find_if(operators.begin(), operators.end(),
                                    [&](const auto& o) { return rest.starts_with(o.name); });
    if (found == operators.end()) return bad;
    t.compare = found->value;
    if (!read_metric(trim(whole.substr(0, at)), t)) return bad;
    const std::string_view limit = trim(rest.substr(found->name.size()));
    if (!read_limit(limit, t)) return bad;
    if (const auto why = nonsense(t, limit); !why.empty())
        return fail(fmt::format("\"{}\": {}", t.text, why));
    return t;
}

ThresholdOutcome judge(const Threshold& t, const Record& r) {
    const Histogram* h = histogram_of(t.of, r);
    if (h && h->empty()) return {t.text, "not measured", false};
    const double value = number_of(t, r);
    return {t.text, describe(t, value), holds(t.compare, value, t.limit)};
}

}  // namespace spillway::load
