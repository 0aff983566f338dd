#pragma once
/// When an identity's token is fetched: before it expires, sooner if a backend refuses it, and with growing
/// delays while the source fails. Pure: it is given the time, and an Rng that spreads the replicas' requests.
///
/// Thread rule: a plain value. Errors: none.
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "identity/azure_token.hpp"

namespace spillway::identity {

class TokenSchedule {
public:
    /// Delays between failed fetches: the first, and the limit of doubling.
    static constexpr std::chrono::seconds kFirstRetry{1};
    static constexpr std::chrono::seconds kLastRetry{30};
    /// A refusal does not cause a fetch while the token is younger than this, or than a quarter of its life:
    /// a backend that refuses every token must not cause a fetch for each request.
    static constexpr std::chrono::seconds kYoung{10};

    void fetched(const Token& token, Wall now, Rng& rng);
    void failed(Wall now, Rng& rng);
    /// A backend refused the present token. Returns whether another will be fetched.
    bool refused(Wall now);

    [[nodiscard]] bool due(Wall now) const noexcept { return now >= due_; }
    /// Time until due(); zero if it is due.
    [[nodiscard]] Duration wait(Wall now) const noexcept { return std::max(Duration::zero(), due_ - now); }

private:
    Wall due_{};  ///< at once
    Wall fetched_at_{};
    Duration young_{};
    unsigned failures_ = 0;  ///< since the last token
};

/// When a token is sent last: a little before it expires, since the request takes time.
[[nodiscard]] Wall last_use(const Token& token, Wall fetched_at) noexcept;

}  // namespace spillway::identity
