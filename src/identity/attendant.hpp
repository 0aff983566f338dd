#pragma once
/// A thread that does one rare thing, waits, and does it again: asks for a token, or for an issuer's keys.
/// What it does may block, so that no event loop has to wait for it.
///
/// Ownership: owns its thread; destroying it asks the turn to stop and waits for it. Thread rule: wake() from
/// any thread; the turn runs on the attendant's own. Errors: none; a turn that throws ends the process.
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/clock.hpp"

namespace spillway::identity {

class Attendant {
public:
    /// One turn; returns how long to wait for the next. It should end soon after a stop was asked for.
    using Turn = std::function<Duration(std::stop_token)>;

    explicit Attendant(Turn turn);
    Attendant(const Attendant&) = delete;
    Attendant& operator=(const Attendant&) = delete;
    ~Attendant();

    /// The next turn begins at once; one under way is followed by another.
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
