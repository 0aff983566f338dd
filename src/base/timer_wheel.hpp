#pragma once
/// Coarse time-outs shared by all connections of one Loop: a hashed timing wheel (Varghese and
/// Lauck, 1987). Arming and disarming are O(1) and make no system call; a time-out fires at most three
/// ticks (60 ms) late and never early. For waits that must be exact, use Timer (base/timer.hpp).
///
/// A Timeout stays in its slot when it is disarmed or armed for later, as happens with each read, and moves
/// only when its old time comes: so its neighbours, whose memory is cold, are rarely touched.
///
/// Ownership: a Timeout is a member of what it guards and leaves the wheel on destruction. Its callback may
/// do anything except destroy the Timeout itself. Errors: none.
/// Thread rule: the wheel, its Timeouts and their callbacks all live on the Loop's one thread.
#include <array>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <optional>

#include "base/clock.hpp"

namespace spillway {

class Loop;
class TimerWheel;

class Timeout
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    explicit Timeout(std::function<void()> on_expiry) : on_expiry_(std::move(on_expiry)) {}
    Timeout(const Timeout&) = delete;
    Timeout& operator=(const Timeout&) = delete;
    ~Timeout() { disarm(); }

    void disarm() noexcept;
    [[nodiscard]] bool armed() const noexcept { return due_tick_ != 0; }

private:
    friend class TimerWheel;
    TimerWheel* wheel_ = nullptr;   ///< the one it was last armed on
    std::uint64_t due_tick_ = 0;    ///< 0: not armed
    std::uint64_t filed_tick_ = 0;  ///< when the wheel will check it, while linked
    std::function<void()> on_expiry_;
};

/// Part of its Loop.
class TimerWheel {
public:
    TimerWheel() = default;
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;
    ~TimerWheel();
    static TimerWheel& of(Loop& loop);

    /// mono_now(), or up to 10 ms earlier: cheap, for time-outs.
    [[nodiscard]] static Mono coarse_now() noexcept;
    /// (Re)arms `timeout` to fire after `delay`; a delay of zero or less disarms (no limit).
    void arm(Timeout& timeout, Duration delay);

    // For Loop:
    /// When expire() must be called next; nullopt while nothing is armed.
    [[nodiscard]] std::optional<Mono> next() const noexcept {
        return running_ ? std::optional(next_turn_) : std::nullopt;
    }
    void expire(Mono now) {
        if (running_ && now >= next_turn_) turn();
    }

private:
    friend class Timeout;
    static constexpr std::size_t slot_count = 1024;
    static constexpr Duration tick = std::chrono::milliseconds(20);
    using Slot = boost::intrusive::list<Timeout, boost::intrusive::constant_time_size<false>>;

    void schedule() noexcept;
    void turn();
    void file(Timeout& timeout);
    void clear() noexcept;
    [[nodiscard]] std::uint64_t tick_now() const;

    Mono next_turn_{};
    Mono start_ = mono_now() - tick;  // behind any reading of a coarser clock
    std::uint64_t done_tick_ = 0;
    std::size_t armed_ = 0;
    bool running_ = false;
    std::array<Slot, slot_count> slots_;
    Slot due_;
};

inline void Timeout::disarm() noexcept {
    if (due_tick_ == 0) return;
    due_tick_ = 0;
    --wheel_->armed_;
}

}  // namespace spillway
