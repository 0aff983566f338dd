#pragma once
/// The process's signals, delivered through an event loop (signalfd(2)).
///
/// Ownership: destroyed before its Loop; while it exists its signals have no other effect. Thread rule:
/// constructed before other threads start, since they inherit the blocked signals; next() on the loop's
/// thread. Errors: the constructor throws std::system_error.
#include <signal.h>

#include <initializer_list>

#include "base/file_descriptor.hpp"
#include "base/task.hpp"

namespace spillway {

class Readiness;

class Signals {
public:
    Signals(Loop& loop, std::initializer_list<int> numbers);
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals();

    /// The number of the next signal; 0 after close(). One waiter at a time.
    Task<int> next();
    /// Ends a wait.
    void close() noexcept;

private:
    Loop& loop_;
    sigset_t before_{};
    FileDescriptor fd_;
    Readiness* waiter_ = nullptr;
    bool closed_ = false;
};

}  // namespace spillway
