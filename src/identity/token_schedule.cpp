#include "identity/token_schedule.hpp"

#include <algorithm>

namespace spillway::identity {
namespace {

constexpr std::chrono::seconds kMostJitter{60};
constexpr std::chrono::seconds kMostMargin{5};
/// A source that gives the same token again and again is not asked more often than this.
constexpr std::chrono::seconds kLeastPause{1};

Duration part(Duration d, double share) noexcept {
    return from_seconds(to_seconds(d) * share);
}

}  // namespace

void TokenSchedule::fetched(const Token& token, Wall now, Rng& rng) {
    const Duration ahead = token.refresh_at - now;
    const Duration jitter = part(std::min<Duration>(kMostJitter, ahead / 10), rng.uniform());
    due_ = now + std::max<Duration>(kLeastPause, ahead - jitter);
    fetched_at_ = now;
    young_ = std::min<Duration>(kYoung, (token.expires - now) / 4);
    failures_ = 0;
}

void TokenSchedule::failed(Wall now, Rng& rng) {
    const Duration wait = std::min<Duration>(kLastRetry, kFirstRetry * (1U << std::min(failures_, 5U)));
    ++failures_;
    due_ = now + part(wait, 0.75 + rng.uniform() / 2);
}

bool TokenSchedule::refused(Wall now) {
    if (failures_ > 0) return false;
    if (now - fetched_at_ < young_) return false;
    due_ = now;
    return true;
}

Wall last_use(const Token& token, Wall fetched_at) noexcept {
    return token.expires - std::min<Duration>(kMostMargin, (token.expires - fetched_at) / 20);
}

}  // namespace spillway::identity
