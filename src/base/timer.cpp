#include "base/timer.hpp"

#include <utility>

#include "base/loop.hpp"

namespace spillway {

Timer::~Timer() {
    if (Sleep* sleep = detach_sleep()) sleep->timer_ = nullptr;
}

void Timer::begin(Sleep& sleep) noexcept {
    sleep_ = &sleep;
    due_ = sleep.due_;
    loop_.timers().queue_.insert(*this);
}

Timer::Sleep* Timer::detach_sleep() noexcept {
    if (is_linked()) unlink();
    return std::exchange(sleep_, nullptr);
}

void Timer::forget(Sleep& sleep) noexcept {
    if (sleep_ == &sleep) (void)detach_sleep();
}

void Timer::cancel() noexcept {
    if (Sleep* sleep = detach_sleep()) {
        sleep->timer_ = nullptr;
        loop_.later(*sleep);
    }
}

void TimerQueue::expire(Mono now) {
    // A sleeper that sleeps again until a time in the past does not delay the others.
    constexpr int most = 256;
    for (int i = 0; i < most && !queue_.empty() && queue_.begin()->due_ <= now; ++i) {
        Timer::Sleep* const sleep = queue_.begin()->detach_sleep();
        sleep->timer_ = nullptr;
        sleep->rang_ = true;
        sleep->self_.resume();
    }
}

}  // namespace spillway
