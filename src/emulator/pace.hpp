#pragma once
/// When the tokens of one answer are due: a time to the first token, then gaps around the mean, both with
/// jitter from the given generator, so that the same seed gives the same pace.
/// Thread rule: a value for one thread.
#include <algorithm>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "config/emulator.hpp"

namespace spillway::emulator {

class Pace {
public:
    Pace(const config::LatencyConfig& latency, Rng rng) noexcept
        : rng_(rng), jitter_(std::clamp(latency.jitter, 0.0, 1.0)) {
        const double spread = to_seconds(latency.ttft_jitter) * (2 * rng_.uniform() - 1);
        first_ = std::max(0.0, to_seconds(latency.ttft) + spread);
        gap_ = latency.tokens_per_second > 0 ? 1 / latency.tokens_per_second : 0;
        next_ = first_;
    }

    /// From the start of the request to the first token.
    [[nodiscard]] Duration first() const noexcept { return from_seconds(first_); }
    /// From the start of the request to the next token, without advancing.
    [[nodiscard]] Duration due() const noexcept { return from_seconds(next_); }
    void advance() noexcept {
        if (gap_ > 0) next_ += gap_ * (1 + jitter_ * (2 * rng_.uniform() - 1));
    }

private:
    Rng rng_;
    double jitter_;
    double first_ = 0;  // seconds
    double gap_ = 0;
    double next_ = 0;
};

}  // namespace spillway::emulator
