#pragma once
/// What a router knows that is worth more than a moment, for the router of the process that takes over: names
/// that are served, modes, counts, cool-downs, and the mirrors of quotas. Left out: single operations that
/// were refused, strikes, and how often a backend was ejected lately; they are learned again soon.
///
/// Ownership, thread rule: values. Errors: none.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quota/mirror.hpp"
#include "routing/backend_view.hpp"
#include "routing/verdict.hpp"

namespace spillway::routing {

struct BackendMemory {
    struct Rest {
        Duration cooling{};  ///< zero: in service
        Reason reason = Reason::none;
    };
    struct Deployment {
        std::string name;
        Rest quota;
        Rest failures;
        std::optional<quota::Mirror::Levels> levels;
    };
    std::string name;
    /// Of the URL, the kind and the quota: what is known of the deployments holds where these are the same.
    std::uint64_t resource = 0;
    Mode mode = Mode::on;
    /// Attempts served, throttled, failed; spilled; tokens; avoided 429s (millionths); µs to first bytes.
    std::array<std::uint64_t, 7> counts{};
    Rest whole;
    std::vector<Deployment> deployments;
};

struct RouterMemory {
    std::vector<std::string> names;
    std::vector<BackendMemory> backends;
};

}  // namespace spillway::routing
