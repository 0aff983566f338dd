#pragma once
/// The mirror of one deployment's quota at a backend: what is left of its tokens and requests, as far as it
/// can be known here. A request is reserved before it is sent, and reconciled with the answer's head
/// (api::RateLimits), with refusals, and for provisioned throughput with the real usage.
///
/// Standard Azure deployments: tokens in fixed windows of a minute, charged by an estimate at admission and
/// never corrected; requests in windows of 1, 10 or 60 s (quota/window_meter.hpp says how the phase is
/// learned). Provisioned (`ptu`): a lenient bucket of tpm tokens. OpenAI-compatible: strict buckets that
/// refill continuously. Limits come from the configuration, are replaced by those in headers, and guessed
/// from remaining counts if neither is known; a guess is a preference and refuses nothing.
///
/// Both meters and what is known about them change together, under one lock, held for some tens of
/// nanoseconds and never across a call out of this room. After each change a copy of the levels is published,
/// so that picking a backend reads two cache lines and writes none (base/published.hpp).
///
/// Thread rule: any thread. Errors: none; "does not fit" is a Headroom.
#include <atomic>
#include <cstdint>
#include <optional>

#include "api/rate_limit.hpp"
#include "base/clock.hpp"
#include "base/published.hpp"
#include "base/spin_lock.hpp"
#include "config/backend.hpp"
#include "quota/meter.hpp"

namespace spillway::quota {

struct Reservation {
    Hold tokens;
    Hold requests;
    bool trial = false;  ///< sent although there seemed to be no room
};

class Mirror {
public:
    /// Only one trial at a time; an unanswered one blocks the next for this long.
    static constexpr Duration trial_patience = std::chrono::seconds(1);

    explicit Mirror(const config::BackendConfig& backend);

    /// The whole quota in tokens, known or guessed; 0: not known, or no bound for a single request (the last
    /// one may overflow a lenient bucket).
    [[nodiscard]] std::uint64_t whole() const noexcept { return whole(levels_.load().tokens); }
    /// For a request that will be charged about `tokens`.
    [[nodiscard]] Headroom headroom(std::uint64_t tokens, Mono now) const noexcept;
    /// nullopt if it does not fit, or no longer does.
    [[nodiscard]] std::optional<Reservation> reserve(std::uint64_t tokens, Mono now) noexcept;
    /// For a Headroom that is unsure: reserves more than seems to be left. nullopt if another trial is in
    /// flight and the limit is reported.
    [[nodiscard]] std::optional<Reservation> reserve_trial(std::uint64_t tokens, Mono now) noexcept;

    /// The head of an admitted request's answer has arrived. Returns the backend's charge for it, if it can
    /// be separated from that of other requests.
    std::optional<std::uint64_t> observe(const Reservation& r, Mono sent,
                                         const api::RateLimits& limits) noexcept;
    /// The answer was 429.
    void refused(const Reservation& r, Mono sent, const api::RateLimits& limits,
                 std::optional<Duration> retry_after) noexcept;
    /// It never reached the quota: no connection, or 401.
    void unsent(const Reservation& r) noexcept;
    /// The answer is complete; `used`: prompt and completion. Only provisioned throughput is corrected.
    void finished(const Reservation& r, std::optional<std::uint64_t> used) noexcept;

    /// What this replica has sent since it started, without what was not admitted.
    struct Sent {
        std::int64_t tokens = 0;
        std::int64_t requests = 0;
    };
    [[nodiscard]] Sent sent() const noexcept {
        return {sent_tokens_.load(std::memory_order_relaxed), sent_requests_.load(std::memory_order_relaxed)};
    }
    /// Other replicas sent this much to the same deployment.
    void others_sent(Sent more, Mono now) noexcept;

    /// The states of the meters.
    struct Levels {
        MeterLevel tokens;
        MeterLevel requests;
        float utilization = 0;  ///< provisioned throughput: as reported; 1 is 100 %
    };
    [[nodiscard]] Levels levels() const noexcept { return levels_.load(); }
    /// Goes on where another process's mirror of the same deployment was; before the first request.
    void restore(const Levels& levels) noexcept;
    [[nodiscard]] MeterLevel tokens() const noexcept { return levels_.load().tokens; }
    [[nodiscard]] MeterLevel requests() const noexcept { return levels_.load().requests; }
    /// Reserved for requests whose heads have not arrived yet.
    [[nodiscard]] std::uint64_t reserved() const noexcept {
        return reserved_.load(std::memory_order_relaxed);
    }

    /// How a kind of backend counts.
    struct Rules {
        api::QuotaModel tokens;
        api::QuotaModel requests;
        Duration request_window;
        bool by_utilization;  ///< heads tell the share that is used, not tokens that remain; corrected by
                              ///< real use
        bool window_varies;   ///< requests may be counted over 1, 10 or 60 s
    };

private:
    /// Holds the lock, and publishes what has changed.
    class Change;

    [[nodiscard]] std::uint64_t whole(const MeterLevel& tokens) const noexcept {
        return rules_.by_utilization || tokens.basis() == Basis::none ? 0 : tokens.limit();
    }
    // Precondition of what follows: the lock is held.
    [[nodiscard]] std::optional<Reservation> reserve_locked(std::uint64_t tokens, Mono now,
                                                            bool force) noexcept;
    void learn_limits(const Reservation& r, const api::RateLimits& limits) noexcept;
    void learn_request_limit(const api::RateLimits& limits) noexcept;
    void learn_shorter_window() noexcept;
    enum class Culprit : std::uint8_t { tokens, requests, shorter_window };
    [[nodiscard]] Culprit culprit(const Reservation& r, Mono sent, const api::RateLimits& limits,
                                  std::optional<Duration> retry_after) const noexcept;
    void end_trial(const Reservation& r) noexcept {
        if (r.trial) trial_ = 0;
    }
    // Needs no lock.
    void settle(const Reservation& r) noexcept;
    void uncount(const Reservation& r) noexcept;

    // What is read to pick a backend: two cache lines.
    alignas(64) Published<Levels> levels_;
    const Rules& rules_;
    const std::optional<std::uint64_t> rpm_;
    // Independent sums, on which nothing else depends.
    alignas(64) std::atomic<std::uint64_t> reserved_{0};
    std::atomic<std::int64_t> sent_tokens_{0};
    std::atomic<std::int64_t> sent_requests_{0};
    // Under lock_.
    SpinLock lock_;
    bool one_second_ = false;  ///< a window shorter than the reported one has refused requests
    float utilization_ = 0;    ///< as in Levels
    std::int64_t trial_ = 0;   ///< ns of Mono; 0: none under way
    Meter tokens_;
    Meter requests_;
};

}  // namespace spillway::quota
