#pragma once
/// A lock for sections of some tens of nanoseconds that neither allocate nor call out: four bytes, free of
/// system calls unless somebody waits. Who waits spins for a moment and then sleeps (std::atomic_flag::wait),
/// so a holder that the system has put aside is not spun for. Meets the standard's BasicLockable: use
/// std::lock_guard.
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
