#include "base/timer_wheel.hpp"

#include <time.h>

#include <algorithm>

#include "base/loop.hpp"

namespace spillway {

TimerWheel& TimerWheel::of(Loop& loop) {
    return loop.wheel();
}

namespace {
/// The kernel's own tick.
constexpr Duration most_behind = std::chrono::milliseconds(10);
}  // namespace

Mono TimerWheel::coarse_now() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return Mono(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

std::uint64_t TimerWheel::tick_now() const {
    return static_cast<std::uint64_t>((coarse_now() - start_) / tick);
}

void TimerWheel::arm(Timeout& timeout, Duration delay) {
    timeout.disarm();
    if (delay <= Duration::zero()) return;
    if (!running_) done_tick_ = tick_now();
    const auto ticks = static_cast<std::uint64_t>((delay + most_behind + tick - Duration(1)) / tick) + 1;
    timeout.due_tick_ = tick_now() + ticks;
    if (timeout.wheel_ != this) timeout.unlink();
    timeout.wheel_ = this;
    ++armed_;
    if (!timeout.is_linked() || timeout.due_tick_ < timeout.filed_tick_) file(timeout);
    if (!running_) schedule();
}

void TimerWheel::file(Timeout& timeout) {
    timeout.unlink();
    timeout.filed_tick_ = timeout.due_tick_;
    slots_[timeout.filed_tick_ % slot_count].push_back(timeout);
}

void TimerWheel::schedule() noexcept {
    running_ = true;
    next_turn_ = mono_now() + tick;
}

void TimerWheel::turn() {
    const std::uint64_t now = tick_now();
    // After a long stall one full turn visits every slot; more would repeat it.
    const std::uint64_t first = std::max(done_tick_ + 1, now >= slot_count ? now - slot_count + 1 : 0);
    for (std::uint64_t t = first; t <= now; ++t) {
        Slot& slot = slots_[t % slot_count];
        for (auto it = slot.begin(); it != slot.end();) {
            Timeout& timeout = *it++;
            if (timeout.filed_tick_ > now) continue;
            timeout.unlink();
            if (timeout.armed()) due_.push_back(timeout);
        }
    }
    done_tick_ = now;
    if (armed_ == 0) {
        clear();
        running_ = false;
        return;
    }
    schedule();  // before the callbacks: none of them can stop the wheel by throwing
    while (!due_.empty()) {
        Timeout& timeout = due_.front();
        timeout.unlink();
        if (!timeout.armed()) continue;
        if (timeout.due_tick_ > now) {
            file(timeout);
            continue;
        }
        timeout.disarm();
        timeout.on_expiry_();  // may arm, disarm or destroy any other Timeout
    }
}

void TimerWheel::clear() noexcept {
    for (Slot& slot : slots_) slot.clear();
    due_.clear();
}

TimerWheel::~TimerWheel() {
    for (Slot& slot : slots_)
        for (Timeout& timeout : slot) timeout.disarm();
    for (Timeout& timeout : due_) timeout.disarm();
    clear();
}

}  // namespace spillway
