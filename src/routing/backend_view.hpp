#pragma once
/// What the admin plane shows of a backend, and what its operator wants of it.
/// Ownership: plain values. Thread rule: free functions, safe everywhere. Errors: none.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace spillway::routing {

/// What the operator wants of a backend; kept in memory only.
enum class Mode : std::uint8_t {
    on,
    draining,  ///< only requests that must go there (Ask::pinned); those in flight end as they would
    off,       ///< none
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
        std::string name;  ///< the backend's own name for it
        State state = State::available;
        Duration until{};                                                  ///< time left of its cool-down
        std::optional<std::uint64_t> tpm, rpm;                             ///< configured or learned limits
        std::optional<std::int64_t> remaining_tokens, remaining_requests;  ///< the mirror's view
        Duration tokens_window{}, requests_window{};  ///< in which what remains is counted
        Duration tokens_reset{}, requests_reset{};    ///< until all is there again, as the mirror sees it
        std::uint64_t reserved_tokens = 0;
        std::uint32_t in_flight = 0;
    };
    std::string name;
    State state = State::available;
    Mode mode = Mode::on;
    std::string reason;  ///< "429", "connect", "401", …; empty when available
    std::string detail;  ///< what exactly failed last, while it is not available
    Duration until{};    ///< time left; zero when available
    std::uint32_t priority = 1;
    std::uint32_t weight = 1;
    std::uint32_t in_flight = 0;
    std::uint64_t served = 0, throttled = 0, failed = 0;  ///< attempts since the start
    std::uint64_t spilled = 0;                            ///< of those served: see Lease::spilled
    double avoided = 0;                                   ///< 429s not met here: see Choice::avoided
    std::uint64_t tokens = 0;                             ///< that served answers used, as far as they told
    Duration first_byte_total{};                          ///< of the served answers together
    std::vector<Deployment> deployments;                  ///< those asked for so far
};
[[nodiscard]] std::string_view to_string(BackendView::State state) noexcept;

}  // namespace spillway::routing
