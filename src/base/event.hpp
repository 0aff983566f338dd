#pragma once
/// A one-waiter event for coroutines of one Loop:
/// `while (!event.is_set()) co_await event.wait();` sleeps until `set()`, which is remembered until reset().
/// Ownership: the event and its waiter may be destroyed in either order. Thread rule: the loop's. Errors:
/// none.
#include <coroutine>
#include <utility>

#include "base/loop.hpp"

namespace spillway {

class Event {
public:
    /// Must be awaited in the expression that creates it.
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

    /// Resumes the waiter before it returns. The waiter may destroy this event, so the caller must not use it
    /// afterwards.
    void set() {
        set_ = true;
        if (Waiter* waiter = detach_waiter()) waiter->self_.resume();
    }
    /// Like set(), but the waiter is resumed from the event loop, never inside this call.
    void set_later() noexcept {
        set_ = true;
        if (Waiter* waiter = detach_waiter()) waiter->loop_->later(*waiter);
    }
    void reset() noexcept { set_ = false; }

    [[nodiscard]] bool is_set() const noexcept { return set_; }
    /// To be awaited: sleeps until the next set(), even if the event is set already.
    [[nodiscard]] Waiter wait() noexcept { return Waiter(*this); }

private:
    Waiter* detach_waiter() noexcept {
        Waiter* const waiter = std::exchange(waiter_, nullptr);
        if (waiter != nullptr) waiter->event_ = nullptr;
        return waiter;
    }

    Waiter* waiter_ = nullptr;
    bool set_ = false;
};

}  // namespace spillway
