#pragma once
/// An exact wait for one coroutine. For time-outs that rarely expire, see base/timer_wheel.hpp.
///
///     Timer timer(loop);
///     const bool rang = co_await timer.sleep_for(100ms);   // false: cancel() was called
///
/// Ownership: destroyed before its Loop. Thread rule: the loop's. Errors: none.
#include <boost/intrusive/set.hpp>
#include <coroutine>
#include <optional>

#include "base/clock.hpp"
#include "base/runnable.hpp"

namespace spillway {

class Loop;

class Timer
    : public boost::intrusive::set_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    class Sleep final : public Runnable {
    public:
        Sleep(Timer& timer, Mono due) noexcept : timer_(&timer), due_(due) {}
        Sleep(const Sleep&) = delete;
        Sleep& operator=(const Sleep&) = delete;
        ~Sleep() {
            if (timer_ != nullptr) timer_->forget(*this);
        }
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> self) noexcept {
            self_ = self;
            timer_->begin(*this);
        }
        /// True if the time has passed, false if the wait was cancelled.
        [[nodiscard]] bool await_resume() const noexcept { return rang_; }

    private:
        friend class Timer;
        friend class TimerQueue;
        void run() override { self_.resume(); }

        Timer* timer_;
        Mono due_;
        std::coroutine_handle<> self_;
        bool rang_ = false;
    };

    explicit Timer(Loop& loop) noexcept : loop_(loop) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer();

    /// One sleeper at a time.
    [[nodiscard]] Sleep sleep_until(Mono due) noexcept { return {*this, due}; }
    [[nodiscard]] Sleep sleep_for(Duration time) noexcept { return {*this, mono_now() + time}; }
    /// Wakes the sleeper, if any, from the event loop.
    void cancel() noexcept;

private:
    friend class TimerQueue;
    friend bool operator<(const Timer& a, const Timer& b) noexcept { return a.due_ < b.due_; }
    void begin(Sleep& sleep) noexcept;
    void forget(Sleep& sleep) noexcept;
    Sleep* detach_sleep() noexcept;

    Loop& loop_;
    Sleep* sleep_ = nullptr;
    Mono due_{};
};

/// The Timers of a loop, and a part of it.
class TimerQueue {
public:
    [[nodiscard]] std::optional<Mono> next() const noexcept {
        return queue_.empty() ? std::nullopt : std::optional(queue_.begin()->due_);
    }
    void expire(Mono now);

private:
    friend class Timer;
    boost::intrusive::multiset<Timer, boost::intrusive::constant_time_size<false>> queue_;
};

}  // namespace spillway
