#pragma once
/// How long a request's body may take: a limit between two reads, one in all, and a minimum rate in the long
/// run, as in Apache's mod_reqtimeout ("body=20,MinRate=500": 20 seconds, and one more for each 500 bytes
/// received). Without the last two, a byte now and then could hold a body's memory for ever.
///
/// Pure: the time is passed in. Thread rule: a plain value. Errors: none.
#include <algorithm>
#include <cstddef>

#include "base/clock.hpp"

namespace spillway::http {

class BodyPace {
public:
    /// Zero means no limit: `pause` between reads, `whole` in all; `rate` in bytes per second, after a first
    /// `pause`.
    BodyPace(Duration pause, Duration whole, std::size_t rate, Mono began) noexcept
        : pause_(pause), whole_(whole), rate_(rate), began_(began) {}

    /// How long to wait for more, with `bytes` received. At least a nanosecond, so that it arms a timer; zero
    /// means for ever.
    [[nodiscard]] Duration wait(std::size_t bytes, Mono now) const noexcept {
        const Duration out = left(bytes, now);
        if (out == Duration::max()) return Duration::zero();
        return std::max(out, Duration(1));
    }
    /// Whether time is up. To be asked with each piece: a timer that fires a little late, and is armed again
    /// whenever a piece arrives, would never fire for a body that trickles fast enough.
    [[nodiscard]] bool is_over(std::size_t bytes, Mono now) const noexcept {
        return left(bytes, now) <= Duration::zero();
    }

private:
    [[nodiscard]] Duration left(std::size_t bytes, Mono now) const noexcept {
        Duration out = Duration::max();
        if (pause_ > Duration::zero()) out = pause_;
        if (whole_ > Duration::zero()) out = std::min(out, whole_ - (now - began_));
        if (rate_ > 0 && pause_ > Duration::zero()) {
            const std::chrono::duration<double> earned(static_cast<double>(bytes) /
                                                       static_cast<double>(rate_));
            const Duration allowed = pause_ + std::chrono::duration_cast<Duration>(earned);
            out = std::min(out, allowed - (now - began_));
        }
        return out;
    }

    Duration pause_;
    Duration whole_;
    std::size_t rate_;
    Mono began_;
};

}  // namespace spillway::http
