#pragma once
/// A circuit breaker for a backend, one of its operations, or one of its deployments: closed (requests pass),
/// open (cooling down, or waiting for its probe), then ramping up until it is closed again.
///
///   closed ──trip, rest──▶ cooling ──time──▶ (ready for a probe) ──try_probe──▶ probing
///       ▲                    ▲──────────────trip───────────────────────────────────┤
///       └──── ramping ◀──────────────────succeeded─────────────────────────────────┘
///
/// A trip opens it for a time that starts at 1 s and grows with each trip that soon follows the last one's
/// end, up to the given cap (modelled on Envoy's outlier detection: base_ejection_time × times ejected). A
/// rest opens it until a given time. Both end with a single probe; once its answer begins, two requests may
/// be in flight, and one more after each success, which doubles the number per round, until full_ramp or
/// ramp_time. While ramping it only says that another backend is preferable; whether to refuse instead is up
/// to the caller.
///
/// Units: milliseconds of Mono, rounded so that a cool-down is never cut short. Thread rule: every function
/// from any thread; one atomic word, no lock. Errors: none.
#include <atomic>
#include <cstdint>

#include "base/clock.hpp"
#include "routing/verdict.hpp"

namespace spillway::routing {

class CircuitBreaker {
public:
    /// Requests in flight at which a ramp ends.
    static constexpr std::uint32_t full_ramp = 64;
    /// A ramp ends after this time, however few requests came.
    static constexpr Duration ramp_time = std::chrono::seconds(10);
    /// A probe of a throttled backend still unanswered after this time was most likely admitted (refusals
    /// come at once): if no other backend can serve, another may follow.
    static constexpr Duration probe_patience = std::chrono::seconds(1);
    static constexpr Duration first_ejection = std::chrono::seconds(1);
    /// After this long without a trip, the next one counts as the first.
    static constexpr Duration forgiven_after = std::chrono::seconds(60);

    enum class Standing : std::uint8_t {
        closed,
        ramp_full,      ///< ramping, with as many in flight as allowed
        probe_ready,    ///< the next request is the probe
        probe_overdue,  ///< probing for longer than probe_patience
        probing,        ///< open until the probe is answered
        cooling,        ///< open until `wait` has passed
    };
    struct Look {
        Standing standing = Standing::closed;
        Reason reason = Reason::none;
        Duration wait{};  ///< until it can be tried again; zero if it can be now
        [[nodiscard]] bool open() const noexcept { return wait > Duration::zero(); }
    };
    /// Identifies a trip, so that it can be undone.
    struct Mark {
        std::uint64_t before = 0;
        std::uint64_t after = 0;
        [[nodiscard]] bool tripped() const noexcept { return before != after; }
    };

    [[nodiscard]] Look look(Mono now, std::uint32_t in_flight) const noexcept;

    /// Makes the caller's request the probe, if probe_ready or probe_overdue. False: another request was
    /// faster.
    [[nodiscard]] bool try_probe(Mono now) noexcept;
    /// The probe sent at `sent` was cancelled and shows nothing: the next request may be the probe.
    void release_probe(Mono sent) noexcept;

    /// A request sent at `sent` was refused until `until`. Ignored if the breaker has recovered since then.
    /// Never shortens the present cool-down. True: it was closed before.
    bool rest(Reason reason, Mono sent, Mono until) noexcept;
    /// A request sent at `sent` failed. Ignored during a cool-down, or if it was sent before a recovery or
    /// the present probe. `least` is what the answer asks for, `most` the cap.
    Mark trip(Reason reason, Mono sent, Mono now, Duration least, Duration most) noexcept;
    /// Undoes the trip, unless something has happened since.
    void undo(const Mark& mark) noexcept;
    /// A request sent at `sent` was served. Ends probing if it was the probe. True: it has recovered.
    bool succeeded(Mono sent, Mono now) noexcept;
    /// A request sent although it was open was served. True: it was open.
    bool revive(Mono now) noexcept;
    /// Whether the request sent at `sent` is the present probe, or later.
    [[nodiscard]] bool probed_by(Mono sent) const noexcept;
    void reset() noexcept;
    void copy(const CircuitBreaker& other) noexcept;

private:
    std::atomic<std::uint64_t> word_{0};
    std::atomic<std::int64_t> recovered_{0};  ///< ms; when it last closed for good
};

}  // namespace spillway::routing
