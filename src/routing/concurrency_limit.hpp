#pragma once
/// How many requests one deployment of a backend sustains at the same time, learned from how they end. Pure:
/// events in, a limit out; the time is passed in.
///
/// There is no limit until the deployment shows that it has too many: it refuses (503, 529, a time-out), or
/// its first tokens come late. Then the limit follows additive increase and multiplicative decrease (Chiu and
/// Jain 1989, as TCP's window, RFC 5681 §3.1; Netflix' concurrency-limits and Envoy's adaptive concurrency
/// filter do alike): a sign takes a part off; a round of answers while the limit is in use adds a sixteenth.
/// After a minute without a sign, and without anybody kept away, there is none again.
///
/// What differs from those two, since an answer's length is the client's choice here: whole latencies say
/// nothing, so only streams' time to first token is compared, among prompts of like size, by its median: a
/// queue delays every request, a few slow ones do not move it. Where first tokens vary by more than `widest`
/// by themselves (reasoning), they are no sign. If they come no sooner with fewer requests, the load was not
/// the reason (a longer thought, a machine that has other work): the limit is again what it was before it was
/// cut for nothing, twice what was in flight if there was none, and what is seen is accepted, until it is
/// twice that or as the base was. The base stays: a backend that is slow now and then would raise it each
/// time. No probing with a low limit, as Envoy does to measure: that would refuse paying clients.
///
/// Ownership: a plain value. Thread rule: one thread at a time. Errors: none.
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/clock.hpp"

namespace spillway::routing {

class ConcurrencyLimit {
public:
    /// Never fewer; and so few in flight are no sign of anything.
    static constexpr std::uint32_t least = 2;
    static constexpr float late = 2.0F;     ///< first tokens so many times later than the base are a sign
    static constexpr float widest = 0.55F;  ///< mean deviation of their logarithms, without overload
    /// Samples until first tokens of a size of prompt are known, and from one look at them to the next.
    static constexpr std::uint32_t enough = 24;
    static constexpr Duration quiet = std::chrono::minutes(1);
    /// A base is the lowest median of this age to twice this age (as BBR's round-trip time).
    static constexpr Duration epoch = std::chrono::minutes(5);

    /// One request's place: who sent it, when, and how many were in flight with it then.
    struct Seen {
        std::uint64_t client = 0;
        Mono sent{};
        std::uint32_t in_flight = 0;
    };
    enum class Change : std::uint8_t { none, begins, ends };

    /// Most requests in flight; 0: no limit.
    [[nodiscard]] std::uint32_t limit() const noexcept { return limit_; }
    /// It was answered well. `kept_away`: when a request last was, for want of a place.
    Change served(const Seen& seen, Mono kept_away, Mono now) noexcept;
    /// It was refused for want of capacity, or not answered in time. One client's request that is refused
    /// again and again, while others are served, counts once.
    Change refused(const Seen& seen, Mono now) noexcept;
    /// A stream's first token came, or a time-out before it. `prompt`: its size in tokens.
    Change first_token(const Seen& seen, std::uint64_t prompt, Duration took, Mono now) noexcept;

private:
    /// First tokens of prompts of like size, in seconds.
    struct Pace {
        float middle = 0;  ///< the median, followed in small steps, faster while all lie on one side
        float deviation = 0;
        float best = 0, best_before = 0;
        float accepted = 0;    ///< the median that fewer requests did not make better; 0: none
        float load = 0;        ///< mean of Seen::in_flight
        std::int32_t run = 0;  ///< samples above it in a row, or below if negative
        std::uint32_t samples = 0;
        std::uint32_t fresh = 0;  ///< samples since the last cut

        void add(float seconds, std::uint32_t in_flight) noexcept;
        void accept() noexcept;
        [[nodiscard]] float base() const noexcept;
    };

    [[nodiscard]] static std::size_t size_class(std::uint64_t prompt) noexcept;
    Change cut(float factor, float in_flight, Mono now) noexcept;
    void turn_epoch(Mono now) noexcept;

    std::uint32_t limit_ = 0;
    std::uint32_t before_ = 0;  ///< before the first cut since one was seen to help
    std::uint32_t credit_ = 0;  ///< answers of this round
    Mono cut_at_{};             ///< requests sent before tell nothing of the time after
    Mono sign_at_{};
    std::uint64_t refused_client_ = 0;
    bool served_since_ = true;  ///< that client
    bool by_pace_ = false;      ///< no other sign than late first tokens
    bool helped_ = false;       ///< the last cut, as is known
    float settled_ = 0;  ///< first tokens to their base at the last cut, if another preceded it; 0: not known
    std::size_t cut_class_ = 0;
    Mono epoch_began_{};
    std::array<Pace, 6> paces_{};
};

/// Whether one more request of a client that has `held` in flight may be sent where `limit` may be, and
/// `in_flight` are. Who holds much leaves a place free for who holds little: no more than four times what is
/// left (dynamic thresholds of shared buffers, Choudhury and Hahne 1998).
[[nodiscard]] constexpr bool has_room(std::uint32_t limit, std::uint32_t in_flight,
                                      std::uint32_t held) noexcept {
    if (limit == 0) return true;
    return in_flight < limit && std::min(held, in_flight) < 4 * std::uint64_t{limit - in_flight};
}

}  // namespace spillway::routing
