#pragma once
/// A one-waiter event for coroutines of one Loop:
/// `while (!event.is_set()) co_await event.wait();` sleeps until `set()`, which is remembered until reset().
/// Ownership: the event and its waiter know of each other, and either may go first. Thread rule: the loop's.
#include <coroutine>
#include <utility>

#include "base/loop.hpp"

namespace spillway {

class Event {
public:
    /// To be awaited where it was made.
    class Waiter final : public Runnable {
    public:
        explicit Waiter(Event& event) noexcept : event_(&event) {}
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        ~Waiter() {
            if (event_ != nullptr && event_->waiter_ == this) event_->waiter_ = nullptr;
        }
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> self) noexcept {
            self_ = self;
            loop_ = &self.promise().loop();
            event_->waiter_ = this;
        }
        void await_resume() const noexcept {}

    private:
        friend class Event;
        void run() override { self_.resume(); }

        Event* event_;
        Loop* loop_ = nullptr;
        std::coroutine_handle<> self_;
    };

    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() {
        if (waiter_ != nullptr) waiter_->event_ = nullptr;
    }

    /// Runs the waiter before it returns, and the waiter may destroy this event: the last act of its caller.
    void set() {
        set_ = true;
        if (Waiter* waiter = take()) waiter->self_.resume();
    }
    /// As set(), but the waiter runs from the event loop, never inside this call.
    void set_later() noexcept {
        set_ = true;
        if (Waiter* waiter = take()) waiter->loop_->later(*waiter);
    }
    void reset() noexcept { set_ = false; }

    [[nodiscard]] bool is_set() const noexcept { return set_; }
    /// To be awaited: sleeps until the next set(), be it set or not.
    [[nodiscard]] Waiter wait() noexcept { return Waiter(*this); }

private:
    Waiter* take() noexcept {
        Waiter* const waiter = std::exchange(waiter_, nullptr);
        if (waiter != nullptr) waiter->event_ = nullptr;
        return waiter;
    }

    Waiter* waiter_ = nullptr;
    bool set_ = false;
};

}  // namespace spillway
