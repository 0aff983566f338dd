#pragma once
/// A lock for critical sections of some tens of nanoseconds that neither allocate nor call out: four bytes,
/// without system calls unless somebody waits. A waiter spins briefly and then sleeps
/// (std::atomic_flag::wait), so that it does not spin while the holder is off the processor. Meets
/// BasicLockable: use std::lock_guard.
///
/// Thread rule: any; not recursive. Errors: none.
#include <atomic>

namespace spillway {

class SpinLock {
public:
    void lock() noexcept {
        while (busy_.test_and_set(std::memory_order_acquire)) busy_.wait(true, std::memory_order_relaxed);
    }
    void unlock() noexcept {
        busy_.clear(std::memory_order_release);
        busy_.notify_one();
    }

private:
    std::atomic_flag busy_;
};

}  // namespace spillway
