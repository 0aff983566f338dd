#pragma once
/// An exact wait of one coroutine. For time-outs that are seldom met, see base/timer_wheel.hpp.
///
///     Timer timer(loop);
///     const bool rang = co_await timer.sleep_for(100ms);   // false: cancel() was called
///
/// Ownership: goes before its Loop does. Thread rule: the loop's.
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
        /// Did the time pass?
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
    /// Wakes the sleeper, if there is one, from the event loop.
    void cancel() noexcept;

private:
    friend class TimerQueue;
    friend bool operator<(const Timer& a, const Timer& b) noexcept { return a.due_ < b.due_; }
    void begin(Sleep& sleep) noexcept;
    void forget(Sleep& sleep) noexcept;
    Sleep* take() noexcept;

    Loop& loop_;
    Sleep* sleep_ = nullptr;
    Mono due_{};
};

/// The Timers of a loop. A part of it.
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
