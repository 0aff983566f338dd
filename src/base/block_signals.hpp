#pragma once
/// For all threads but the main one, which alone handles signals.
#include <signal.h>

namespace spillway {

/// Blocks every signal for the calling thread.
inline void block_signals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace spillway
