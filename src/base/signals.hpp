#pragma once
/// Signals of the process, as values of an event loop (signalfd(2)).
///
/// Ownership: goes before its Loop; as long as it is there, its signals do nothing else. Thread rule: made
/// before other threads begin, since they inherit what is blocked; waited for on the loop's thread. Errors:
/// std::system_error when it cannot be made.
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

    /// The next one's number; 0 after close(). One waiter at a time.
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
