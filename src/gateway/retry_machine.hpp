#pragma once
/// Decides what follows when no backend is found or an attempt fails: another backend, a wait for quota, or
/// an answer that says why. Without IO; it counts the waits that it decides on.
///
/// Ownership: by value. Thread rule: one thread. Errors: none.
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <span>

#include "base/clock.hpp"
#include "gateway/asked.hpp"
#include "gateway/report.hpp"
#include "routing/router.hpp"

namespace spillway::gateway {

enum class RetryAction : std::uint8_t {
    pick,     ///< ask the router for the next backend
    wait,     ///< for RetryMachine::pause(), then pick again among all
    give_up,  ///< answer with no_backend_left()
};

class RetryMachine {
public:
    /// `most_attempts` between two waits; `max_wait`: how long a request may wait in all; `on_timeout`:
    /// whether an accepted request that was not answered in time is repeated elsewhere.
    RetryMachine(std::uint32_t most_attempts, Duration max_wait, bool on_timeout) noexcept
        : most_attempts_(most_attempts), max_wait_(max_wait), on_timeout_(on_timeout) {}

    /// Backends not to be picked again.
    [[nodiscard]] std::span<const routing::BackendIndex> tried() const noexcept {
        return {tried_.data(), tried_.size()};
    }
    void attempt_begins(routing::BackendIndex backend) { tried_.push_back(backend); }
    /// The router has no usable backend before `retry_in`.
    [[nodiscard]] RetryAction nobody(Duration retry_in) noexcept;
    /// An attempt failed before anything was sent to the client. Spends the router's retry budget. `history`:
    /// the request's own, so that its own failures do not exclude it from the next backend.
    [[nodiscard]] RetryAction failed(const routing::Verdict& verdict, routing::Router& router,
                                     std::uint64_t fingerprint, Mono now,
                                     const routing::AttemptHistory* history = nullptr) noexcept;

    /// The pause for RetryAction::wait; also when the client may retry.
    [[nodiscard]] Duration pause() const noexcept { return pause_; }

private:
    const std::uint32_t most_attempts_;
    const Duration max_wait_;
    const bool on_timeout_;
    boost::container::small_vector<routing::BackendIndex, 8> tried_;  ///< since the last wait
    Duration waited_{};
    Duration pause_{};
};

/// The true answer for a client when no backend is left: the failures' own answer if all are the same; 429
/// for quota alone; 503 with the kinds of failure. `last`: the choice without a backend, if there was one;
/// `retry_in`: when to retry.
[[nodiscard]] Refusal no_backend_left(const Report& report, const routing::Choice& last, const Asked& asked,
                                      Duration retry_in);
/// How such a request ended.
[[nodiscard]] Ending ending_of(const Refusal& why) noexcept;

}  // namespace spillway::gateway
