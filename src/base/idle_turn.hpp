#pragma once
/// A coroutine's wait until the loop has nothing more urgent to do:
///
///     IdleTurn idle(loop.poller());
///     while (!idle.over()) co_await idle.wait();
///
/// Ownership: destroyed before its Loop. Thread rule: the loop's. Errors: none.
#include "base/event.hpp"
#include "base/poller.hpp"

namespace spillway {

class IdleTurn final : private IdleTask {
public:
    explicit IdleTurn(Poller& poller) { poller.add_idle_task(*this); }
    [[nodiscard]] bool over() const noexcept { return event_.is_set(); }
    [[nodiscard]] Event::Waiter wait() noexcept { return event_.wait(); }

private:
    void run_idle() override { event_.set(); }

    Event event_;
};

}  // namespace spillway
