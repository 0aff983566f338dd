#pragma once
/// A backend as the admin plane shows it, and the mode its operator has set.
/// Ownership: plain values. Thread rule: free functions, safe everywhere. Errors: none.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace spillway::routing {

/// Set by the operator; kept by gateway/backend_modes.hpp.
enum class Mode : std::uint8_t {
    on,
    draining,  ///< only requests that must go there (Ask::pinned); those in flight continue
    off,       ///< no requests
};
[[nodiscard]] std::string_view to_string(Mode mode) noexcept;

struct BackendView {
    enum class State : std::uint8_t {
        available,
        throttled,
        failed,
        unauthorized,
        probing,
        draining,
        disabled
    };
    struct Deployment {
        std::string name;  ///< as the backend calls it
        State state = State::available;
        Duration until{};                                                  ///< rest of its cool-down
        std::optional<std::uint64_t> tpm, rpm;                             ///< configured or learned limits
        std::optional<std::int64_t> remaining_tokens, remaining_requests;  ///< according to the mirror
        Duration tokens_window{}, requests_window{};  ///< the windows these are counted in
        Duration tokens_reset{},
            requests_reset{};  ///< until the whole quota is available, according to the mirror
        std::uint64_t reserved_tokens = 0;
        std::uint32_t in_flight = 0;
        std::optional<std::uint32_t> most_in_flight;  ///< what it sustains; nullopt: no limit was met
    };
    std::string name;
    State state = State::available;
    Mode mode = Mode::on;
    std::string reason;  ///< "429", "connect", "401", …; empty when available
    std::string detail;  ///< the last failure, while it is not available
    Duration until{};    ///< time left; zero when available
    std::uint32_t priority = 1;
    std::uint32_t weight = 1;
    std::uint32_t in_flight = 0;
    std::uint64_t served = 0, throttled = 0, failed = 0;  ///< attempts since the start
    std::uint64_t spilled = 0;                            ///< of those served; see Lease::spilled
    double avoided = 0;                                   ///< 429s avoided here; see Choice::avoided
    std::uint64_t tokens = 0;             ///< used by served answers, as far as they reported it
    Duration first_byte_total{};          ///< sum over served answers
    std::vector<Deployment> deployments;  ///< those requested so far
};
[[nodiscard]] std::string_view to_string(BackendView::State state) noexcept;

}  // namespace spillway::routing
