#pragma once
/// One gate in front of a backend, or of one deployment of it: open, cooling down, probed, ramping up.
///
///     open ──trip──▶ cooling ──time──▶ (ready for a probe) ──try_probe──▶ probing
///       ▲                 ▲──────────────trip──────────────────────────────┤
///       └──── ramping ◀───────────────────succeeded────────────────────────┘
///
/// After a cool-down one request probes; when it begins to serve, others follow: two at once, and one more
/// for each sign of success, which doubles per round, until full_ramp or ramp_time. The ramp only says
/// "rather another one"; whether that may be refused is the caller's affair.
///
/// Time: milliseconds of Mono, rounded so that a cool-down is never cut short. Thread rule: every function
/// from any thread; one atomic word, no lock. Errors: none.
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"

namespace spillway::routing {

enum class TripReason : std::uint8_t {
    none,
    throttled,
    unauthorized,
    server_error,
    connect_error,
    timeout,
    broken,
};
/// "429", "401", "5xx", "connect", "timeout", "broken"; empty for none.
[[nodiscard]] std::string_view to_string(TripReason reason) noexcept;

class Availability {
public:
    /// In flight at once when a ramp ends.
    static constexpr std::uint32_t full_ramp = 64;
    /// A ramp ends after this, however few came.
    static constexpr Duration ramp_time = std::chrono::seconds(10);
    /// A probe of a throttled one that is still unanswered after this was most likely let in (refusals come
    /// at once): if nobody else can serve, another may be sent after it.
    static constexpr Duration probe_patience = std::chrono::seconds(1);

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
        TripReason reason = TripReason::none;
        Duration wait{};  ///< until it can be tried again; zero if it can be now
    };

    [[nodiscard]] Look look(Mono now, std::uint32_t in_flight) const noexcept;

    /// Claims the probe, of one that is probe_ready or probe_overdue. False: somebody else was faster.
    [[nodiscard]] bool try_probe(Mono now) noexcept;
    /// The probe sent at `sent` came to nothing and says nothing (cancelled): the next request may probe.
    void release_probe(Mono sent) noexcept;

    /// A request sent at `sent` failed. Ignored if the gate has recovered since then. Never shortens a
    /// cool-down that still runs.
    void trip(TripReason reason, Mono sent, Mono until) noexcept;
    /// A request sent at `sent` was served. Ends the probing if it is the probe.
    void succeeded(Mono sent, Mono now) noexcept;

private:
    std::atomic<std::uint64_t> word_{0};
    std::atomic<std::int64_t> recovered_{0};  ///< ms; when the last cool-down ended for good
};

}  // namespace spillway::routing
