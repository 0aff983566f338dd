#pragma once
/// A circuit breaker in front of a backend, one of its operations, or one of its deployments: closed (as it
/// should be), open (cooling down), probed, ramping up. Words here: `open` is a gate that lets requests pass.
///
///     open ──trip, rest──▶ cooling ──time──▶ (ready for a probe) ──try_probe──▶ probing
///       ▲                    ▲──────────────trip───────────────────────────────────┤
///       └──── ramping ◀──────────────────succeeded─────────────────────────────────┘
///
/// A trip closes it for a time that grows from 1 s with each trip that follows soon after the last one's end,
/// up to the cap that is handed in (Envoy's outlier detection is the model: base_ejection_time × times
/// ejected). A rest closes it until the time that is told. Both end with a single probe; when it begins to
/// serve, others follow: two at once, and one more for each sign of success, which doubles per round, until
/// full_ramp or ramp_time. The ramp only says "rather another one"; whether that may be refused is the
/// caller's affair.
///
/// Time: milliseconds of Mono, rounded so that a cool-down is never cut short. Thread rule: every function
/// from any thread; one atomic word, no lock. Errors: none.
#include <atomic>
#include <cstdint>

#include "base/clock.hpp"
#include "routing/verdict.hpp"

namespace spillway::routing {

class CircuitBreaker {
public:
    /// In flight at once when a ramp ends.
    static constexpr std::uint32_t full_ramp = 64;
    /// A ramp ends after this, however few came.
    static constexpr Duration ramp_time = std::chrono::seconds(10);
    /// A probe of a throttled one that is still unanswered after this was most likely let in (refusals come
    /// at once): if nobody else can serve, another may be sent after it.
    static constexpr Duration probe_patience = std::chrono::seconds(1);
    static constexpr Duration first_ejection = std::chrono::seconds(1);
    /// Well for so long: the next trip is a first one.
    static constexpr Duration forgiven_after = std::chrono::seconds(60);

    enum class Standing : std::uint8_t {
        open,
        ramp_full,      ///< ramping, and as many in flight as it may have
        probe_ready,    ///< the next request is the probe
        probe_overdue,  ///< probing for longer than probe_patience
        probing,        ///< closed until the probe is answered
        cooling,        ///< closed until `wait` has passed
    };
    struct Look {
        Standing standing = Standing::open;
        Reason reason = Reason::none;
        Duration wait{};  ///< until it can be tried again; zero if it can be now
        [[nodiscard]] bool closed() const noexcept { return wait > Duration::zero(); }
    };
    /// One trip, so that it can be undone.
    struct Mark {
        std::uint64_t before = 0;
        std::uint64_t after = 0;
        [[nodiscard]] bool tripped() const noexcept { return before != after; }
    };

    [[nodiscard]] Look look(Mono now, std::uint32_t in_flight) const noexcept;

    /// Claims the probe, of one that is probe_ready or probe_overdue. False: somebody else was faster.
    [[nodiscard]] bool try_probe(Mono now) noexcept;
    /// The probe sent at `sent` came to nothing and says nothing (cancelled): the next request may probe.
    void release_probe(Mono sent) noexcept;

    /// A request sent at `sent` was told to come back at `until`. Ignored if the breaker has recovered since
    /// then. Never shortens a cool-down that still runs. True: it was open before.
    bool rest(Reason reason, Mono sent, Mono until) noexcept;
    /// A request sent at `sent` failed. Ignored if it was sent before a recovery or before the probe that is
    /// under way, and while a cool-down runs. `least`: what the answer asks for; `most`: the cap.
    Mark trip(Reason reason, Mono sent, Mono now, Duration least, Duration most) noexcept;
    /// As if the trip had not been, unless something happened since.
    void undo(const Mark& mark) noexcept;
    /// A request sent at `sent` was served. Ends the probing if it is the probe. True: it has recovered.
    bool succeeded(Mono sent, Mono now) noexcept;
    /// A request that was sent in spite of it was served. True: it was closed.
    bool revive(Mono now) noexcept;
    /// Is the request sent at `sent` the probe that is under way, or a later one?
    [[nodiscard]] bool probed_by(Mono sent) const noexcept;
    void reset() noexcept;
    void copy(const CircuitBreaker& other) noexcept;

private:
    std::atomic<std::uint64_t> word_{0};
    std::atomic<std::int64_t> recovered_{0};  ///< ms; when the last cool-down ended for good
};

}  // namespace spillway::routing
