#pragma once
/// A thread that repeats one rare task, such as fetching a token or an issuer's keys, and waits in between.
/// The task may block, so that no event loop has to wait for it.
///
/// Ownership: owns its thread; destruction requests the turn to stop and waits for it. Thread rule: wake()
/// from any thread; turns run on its own. Errors: none; a turn that throws ends the process.
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/clock.hpp"

namespace spillway::identity {

class Attendant {
public:
    /// One turn; returns how long to wait for the next. Must end soon after a stop is requested.
    using Turn = std::function<Duration(std::stop_token)>;

    explicit Attendant(Turn turn);
    Attendant(const Attendant&) = delete;
    Attendant& operator=(const Attendant&) = delete;
    ~Attendant();

    /// Starts the next turn at once, or right after the present one.
    void wake();

private:
    void run(const std::stop_token& stop);

    Turn turn_;
    std::mutex mutex_;
    std::condition_variable_any waker_;
    bool woken_ = false;
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace spillway::identity
