#pragma once
/// A coroutine's wait for a descriptor: whenever something has changed, the waiter tries again.
///
///     Readiness ready(loop, fd);
///     while (!try_it(fd)) co_await ready.wait();
///
/// Ownership: destroyed before the descriptor is closed, and before the Loop. Thread rule: the loop's.
/// Errors: error(), if the descriptor cannot be watched.
#include "base/event.hpp"
#include "base/poller.hpp"

namespace spillway {

class Readiness final : private Watcher {
public:
    Readiness(Loop& loop, int fd, EventClass events = EventClass::work_under_way)
        : Watcher(events), poller_(loop.poller()), fd_(fd) {
        poller_.add(fd, *this, error_);
    }
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;
    ~Readiness() {
        if (!error_) poller_.remove(fd_, *this);
    }
    [[nodiscard]] const std::error_code& error() const noexcept { return error_; }
    /// Until the next change or wake().
    [[nodiscard]] Event::Waiter wait() noexcept {
        changed_.reset();
        return changed_.wait();
    }
    /// Ends a wait although nothing has changed.
    void wake() noexcept { changed_.set_later(); }

private:
    void on_ready(Ready /*whatever it is*/) override { changed_.set_later(); }

    Poller& poller_;
    int fd_;
    std::error_code error_;
    Event changed_;
};

}  // namespace spillway
