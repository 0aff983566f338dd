#pragma once
/// For threads that work beside the main one: signals are the main thread's affair.
#include <signal.h>

namespace spillway {

/// Of the calling thread.
inline void block_signals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace spillway
