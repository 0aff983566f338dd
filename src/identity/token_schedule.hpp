#pragma once
/// When an identity's token is fetched: ahead of its end, sooner when a backend refused it, later and later
/// while the source fails. Pure: it is handed the time, and an Rng so that replicas do not ask all at once.
///
/// Thread rule: a plain value. Errors: none.
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "identity/azure_token.hpp"

namespace spillway::identity {

class TokenSchedule {
public:
    /// Waits between failed fetches: the first, and what doubling ends at.
    static constexpr std::chrono::seconds kFirstRetry{1};
    static constexpr std::chrono::seconds kLastRetry{30};
    /// A refusal does not have a token fetched that is younger than this, or than a quarter of its life: a
    /// backend that refuses every token must not have the source asked for each request.
    static constexpr std::chrono::seconds kYoung{10};

    void fetched(const Token& token, Wall now, Rng& rng);
    void failed(Wall now, Rng& rng);
    /// A backend refused the token in use: whether another is going to be fetched for that.
    bool refused(Wall now);

    [[nodiscard]] bool due(Wall now) const noexcept { return now >= due_; }
    /// How long until due(); zero if it is.
    [[nodiscard]] Duration wait(Wall now) const noexcept { return std::max(Duration::zero(), due_ - now); }

private:
    Wall due_{};  ///< at once
    Wall fetched_at_{};
    Duration young_{};
    unsigned failures_ = 0;  ///< since the last token
};

/// From when on a token is not sent any more: a little before its end, since the request takes its time.
[[nodiscard]] Wall last_use(const Token& token, Wall fetched_at) noexcept;

}  // namespace spillway::identity
