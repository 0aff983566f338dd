#pragma once
/// The time of a request's last event, read once for everything that follows from it.
/// Thread rule: its request's thread.
#include "base/clock.hpp"
#include "quota/client_limit.hpp"

namespace spillway::gateway {

class RequestClock {
public:
    RequestClock(Mono received, Mono mono, Wall wall) noexcept
        : received_(received), began_(wall), now_{mono, wall} {}

    void read() noexcept { advance(mono_now()); }
    void advance(Mono to) noexcept {
        now_.wall += to - now_.mono;
        now_.mono = to;
    }
    [[nodiscard]] const quota::Now& now() const noexcept { return now_; }
    [[nodiscard]] Mono mono() const noexcept { return now_.mono; }
    [[nodiscard]] Wall began() const noexcept { return began_; }
    /// Since the request's first byte was read.
    [[nodiscard]] Duration elapsed() const noexcept { return now_.mono - received_; }

private:
    Mono received_;
    Wall began_;
    quota::Now now_;
};

}  // namespace spillway::gateway
