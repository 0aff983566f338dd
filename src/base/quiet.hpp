#pragma once
/// A coroutine's wait until nothing more urgent is to be done:
/// `while (!quiet.over()) co_await quiet.wait();`
#include "base/event.hpp"
#include "base/poller.hpp"

namespace spillway {

class Quiet final : private WaitsForQuiet {
public:
    explicit Quiet(Poller& poller) { poller.add_quiet(*this); }
    [[nodiscard]] bool over() const noexcept { return event_.is_set(); }
    [[nodiscard]] Event::Waiter wait() noexcept { return event_.wait(); }

private:
    void end() override { event_.set(); }

    Event event_;
};

}  // namespace spillway
