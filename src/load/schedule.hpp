#pragma once
/// When requests are due and users present, as pure functions of time and randomness.
///
/// A Curve gives the intended load at each moment: requests per second (open model) or users (closed model).
/// Times are relative to the start of the run. Ownership: values. Thread rule: a Curve is
/// immutable; Arrivals is for one thread. Errors: parse_stages() says what it did not understand.
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"

namespace spillway::load {

/// Within `length` the load changes linearly from its previous value to `target`.
struct Stage {
    Duration length{};
    double target = 0;
    friend bool operator==(const Stage&, const Stage&) = default;
};

/// `30s:10,1m:50`: within 30 s to 10, within another minute to 50.
[[nodiscard]] Result<std::vector<Stage>> parse_stages(std::string_view text);

class Curve {
public:
    /// Starts at `start`; nothing is due after the last stage.
    Curve(double start, const std::vector<Stage>& stages);
    /// `target` for `total`, of which the first `ramp_up` rises from 0.
    [[nodiscard]] static Curve steady(double target, Duration ramp_up, Duration total);

    [[nodiscard]] Duration length() const noexcept { return length_; }
    [[nodiscard]] double highest() const noexcept;
    /// 0 before the start and from the end on.
    [[nodiscard]] double at(Duration time) const noexcept;
    /// The integral up to `time`: the requests due until then.
    [[nodiscard]] double area(Duration time) const noexcept;
    /// When the area reaches `wanted`; nullopt if it never does.
    [[nodiscard]] std::optional<Duration> when(double wanted) const noexcept;
    /// The first time from `from` on at which the curve is at `level` or above.
    [[nodiscard]] std::optional<Duration> reaches(double level, Duration from) const noexcept;

private:
    struct Piece {
        double begin;  // seconds
        double length;
        double from;
        double to;
    };
    std::vector<Piece> pieces_;
    Duration length_{};
};

/// When each request of the open model is due: evenly, or as a Poisson process whose rate is the curve.
class Arrivals {
public:
    Arrivals(Curve curve, bool poisson, std::uint64_t seed) noexcept
        : curve_(std::move(curve)), poisson_(poisson), rng_(seed) {}
    [[nodiscard]] std::optional<Duration> next();

private:
    Curve curve_;
    bool poisson_;
    Rng rng_;
    double area_ = 0;
    bool first_ = true;
};

/// Exponentially distributed: the time between independent events.
[[nodiscard]] double draw_exponential(Rng& rng, double mean) noexcept;
/// Normally distributed, mean 0 and deviation 1 (Box and Muller 1958).
[[nodiscard]] double draw_normal(Rng& rng) noexcept;
/// Log-normally distributed, as lengths of texts are: half of all draws are below `median`.
[[nodiscard]] double draw_log_normal(Rng& rng, double median, double sigma) noexcept;

}  // namespace spillway::load
