#pragma once
/// A wait that can be cut short: `co_await pause.wait(context, 20ms)`, cancel() from elsewhere on the thread.
/// Ownership: outlives the wait. Thread rule: the event loop's thread. Errors: none.
#include <optional>

#include "base/clock.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"

namespace spillway::gateway {

class Pause {
public:
    Task<void> wait(Loop& context, Duration length) {
        timer_.emplace(context);
        (void)co_await timer_->sleep_for(length);
        timer_.reset();
    }
    void cancel() noexcept {
        if (timer_) timer_->cancel();
    }

private:
    std::optional<Timer> timer_;
};

}  // namespace spillway::gateway
