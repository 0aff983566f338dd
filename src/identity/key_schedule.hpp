#pragma once
/// When an issuer's keys are fetched: regularly, and when a token names an unknown key, but never more than
/// once in kLeast, whatever tokens arrive. Pure.
///
/// Thread rule: a plain value. Errors: none.
#include <algorithm>

#include "base/clock.hpp"
#include "base/rng.hpp"

namespace spillway::identity {

class KeySchedule {
public:
    /// Between the starts of two fetches.
    static constexpr std::chrono::seconds kLeast{1};
    /// Without any other reason, so that keys withdrawn by the issuer are removed.
    static constexpr std::chrono::hours kPeriod{1};
    static constexpr std::chrono::seconds kLastRetry{60};

    [[nodiscard]] bool due(Mono now) const noexcept { return now >= due_; }
    [[nodiscard]] Duration wait(Mono now) const noexcept { return std::max(Duration::zero(), due_ - now); }

    void began(Mono now) noexcept {
        began_ = now;
        due_ = now + kPeriod;
    }
    void fetched(Mono now, Rng& rng) noexcept {
        failures_ = 0;
        due_ = now + from_seconds(to_seconds(kPeriod) * (0.8 + rng.uniform() / 5));
    }
    void failed(Mono now, Rng& rng) noexcept {
        const Duration wait = std::min<Duration>(kLastRetry, kLeast * (1U << std::min(failures_, 6U)));
        ++failures_;
        due_ = std::max(began_ + kLeast, now + from_seconds(to_seconds(wait) * (0.75 + rng.uniform() / 2)));
    }
    /// A token names an unknown key.
    void wanted() noexcept { due_ = std::min(due_, began_ + kLeast); }

private:
    Mono began_{Mono::min() + kPeriod};
    Mono due_{Mono::min()};
    unsigned failures_ = 0;
};

}  // namespace spillway::identity
