#include "load/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/strings.hpp"
#include "config/units.hpp"

namespace spillway::load {
namespace {

constexpr double hair = 1e-9;

/// Seconds into a piece until its area is `wanted`: from·t + slope·t²/2 = wanted.
double time_for(double from, double slope, double wanted) noexcept {
    if (std::abs(slope) < hair) return from > 0 ? wanted / from : 0;
    const double root = std::sqrt(std::max(0.0, from * from + 2 * slope * wanted));
    // The form without a difference of near-equal numbers.
    return from + root > 0 ? 2 * wanted / (from + root) : 0;
}

}  // namespace

Result<std::vector<Stage>> parse_stages(std::string_view text) {
    std::vector<Stage> stages;
    while (true) {
        const std::size_t end = std::min(text.find(','), text.size());
        const std::string_view one = trim(text.substr(0, end));
        const std::size_t colon = one.find(':');
        if (colon == std::string_view::npos)
            return fail(fmt::format("\"{}\" is not a stage such as 30s:10", one));
        const auto length = config::parse_duration(trim(one.substr(0, colon)));
        const auto target = parse_double(trim(one.substr(colon + 1)));
        if (!length || !target || *target < 0)
            return fail(fmt::format("\"{}\" is not a stage such as 30s:10", one));
        stages.push_back({*length, *target});
        if (end == text.size()) break;
        text.remove_prefix(end + 1);
    }
    return stages;
}

Curve::Curve(double start, const std::vector<Stage>& stages) {
    double begin = 0;
    double from = start;
    for (const Stage& stage : stages) {
        const double length = to_seconds(stage.length);
        if (length > 0) pieces_.push_back({begin, length, from, stage.target});
        begin += length;
        from = stage.target;
        length_ += stage.length;
    }
}

Curve Curve::steady(double target, Duration ramp_up, Duration total) {
    ramp_up = std::clamp(ramp_up, Duration{}, total);
    return Curve(ramp_up > Duration{} ? 0 : target, {{ramp_up, target}, {total - ramp_up, target}});
}

double Curve::highest() const noexcept {
    double out = 0;
    for (const Piece& p : pieces_) out = std::max({out, p.from, p.to});
    return out;
}

double Curve::at(Duration time) const noexcept {
    const double t = to_seconds(time);
    for (const Piece& p : pieces_)
        if (t >= p.begin && t < p.begin + p.length)
            return p.from + (p.to - p.from) * (t - p.begin) / p.length;
    return 0;
}

double Curve::area(Duration time) const noexcept {
    const double t = to_seconds(time);
    double out = 0;
    for (const Piece& p : pieces_) {
        const double in = std::clamp(t - p.begin, 0.0, p.length);
        out += p.from * in + (p.to - p.from) / p.length * in * in / 2;
    }
    return out;
}

std::optional<Duration> Curve::when(double wanted) const noexcept {
    for (const Piece& p : pieces_) {
        const double whole = (p.from + p.to) / 2 * p.length;
        if (wanted < whole)
            return from_seconds(p.begin +
                                std::min(p.length, time_for(p.from, (p.to - p.from) / p.length, wanted)));
        wanted -= whole;
    }
    return std::nullopt;
}

std::optional<Duration> Curve::reaches(double level, Duration from) const noexcept {
    level -= hair;
    const double earliest = std::max(0.0, to_seconds(from));
    for (const Piece& p : pieces_) {
        const double end = p.begin + p.length;
        if (end <= earliest) continue;
        double t = std::max(earliest, p.begin);
        const double slope = (p.to - p.from) / p.length;
        if (p.from + slope * (t - p.begin) >= level) return from_seconds(t);
        if (slope <= 0) continue;
        t = p.begin + (level - p.from) / slope;
        if (t < end) return from_seconds(t);
    }
    return std::nullopt;
}

std::optional<Duration> Arrivals::next() {
    if (poisson_)
        area_ += draw_exponential(rng_, 1);
    else if (!first_)
        area_ += 1;
    first_ = false;
    return curve_.when(area_);
}

double draw_exponential(Rng& rng, double mean) noexcept {
    return -mean * std::log1p(-rng.uniform());
}

double draw_normal(Rng& rng) noexcept {
    const double radius = std::sqrt(2 * draw_exponential(rng, 1));
    return radius * std::cos(2 * std::numbers::pi * rng.uniform());
}

double draw_log_normal(Rng& rng, double median, double sigma) noexcept {
    return median * std::exp(sigma * draw_normal(rng));
}

}  // namespace spillway::load
