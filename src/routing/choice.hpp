#pragma once
/// What the router is asked, and what it answers.
/// Ownership: plain values; an Ask views what its caller keeps. Thread rule: none needed. Errors: a Choice
/// without a backend says why.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "quota/mirror.hpp"
#include "routing/backend_index.hpp"
#include "routing/verdict.hpp"

namespace spillway::routing {

struct Slot;

struct Ask {
    DeploymentRef deployment;
    OperationIndex operation = 0;
    std::uint64_t tokens = 0;             ///< estimate of what the backend will charge at admission
    std::span<const BackendIndex> tried;  ///< not to be picked again for this request
    std::optional<BackendIndex> pinned;   ///< only this one will do (ids live on one resource)
    std::uint64_t affinity = 0;           ///< hash of the prompt's prefix; 0: none
    /// Names who asks for deterministic subsetting: in a moment with many requests, the same few of many
    /// backends serve those of one key (routing/picker.hpp). 0: each request is for itself.
    std::uint64_t subset_key = 0;
    /// A hash of who asks and of what the request says; the same when it is sent again. A request that is at
    /// fault itself is known by it. 0: not known.
    std::uint64_t fingerprint = 0;
};

/// One attempt's claim on a backend, given back by Router::ended(). A plain value; the caller keeps it.
struct Lease {
    BackendIndex backend = no_backend;
    DeploymentRef deployment;
    Slot* slot = nullptr;  ///< the deployment's at that backend; the router's own
    OperationIndex operation = 0;
    std::uint64_t reserved = 0;     ///< tokens
    std::uint64_t fingerprint = 0;  ///< Ask's
    Mono at{};
    bool probe = false;        ///< the single request that tests a backend after its cool-down
    bool last_resort = false;  ///< nobody was usable because of failures, and this is the least bad
    bool spilled = false;      ///< another failed first, or one of a better priority was passed over
    quota::Reservation quota;  ///< what the mirror of the deployment's quota holds for it
};

/// Why nobody was found.
enum class Cause : std::uint8_t {
    none,             ///< somebody was
    quota,            ///< out of quota: Choice::retry_in says when to come back
    failures,         ///< those that are left fail, or were tried
    out_of_rotation,  ///< draining or switched off
    not_served,       ///< no backend serves the deployment or model
    too_large,        ///< the request is larger than the whole of any quota
};
[[nodiscard]] std::string_view to_string(Cause cause) noexcept;

struct Choice {
    Lease lease;  ///< backend == no_backend: nobody is usable
    Cause cause = Cause::none;
    Duration retry_in{};  ///< without a backend: soonest time one could serve, never below 1 ms
    /// Without a backend: the kinds of failure met, a bit for each Reason.
    std::uint32_t reasons = 0;
    /// Expected number of 429s, 0…1, that a first attempt by priority and weight alone would have met, as
    /// the mirrors see it.
    double avoided = 0;

    [[nodiscard]] bool found() const noexcept { return lease.backend != no_backend; }
    [[nodiscard]] bool has(Reason reason) const noexcept {
        return (reasons >> static_cast<unsigned>(reason) & 1U) != 0;
    }
};

}  // namespace spillway::routing
