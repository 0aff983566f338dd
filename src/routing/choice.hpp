#pragma once
/// The router's input (Ask) and its answer (Choice).
/// Ownership: plain values; an Ask views what its caller keeps. Thread rule: plain values. Errors: a Choice
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
    std::uint64_t tokens = 0;             ///< estimate of the backend's charge at admission
    std::span<const BackendIndex> tried;  ///< not to be picked again
    std::optional<BackendIndex> pinned;   ///< the only possible one (ids live on one resource)
    std::uint64_t affinity = 0;           ///< hash of the prompt's prefix; 0: none
    /// For deterministic subsetting: while requests are many, those with one key share a small subset of the
    /// backends (routing/picker.hpp). 0: no subset.
    std::uint64_t subset_key = 0;
    /// Hash of the client and the request's content, the same when it is sent again: identifies requests that
    /// are themselves at fault. 0: not known.
    std::uint64_t fingerprint = 0;
    std::uint64_t client = 0;  ///< tells clients apart
    std::uint32_t held = 0;    ///< other requests of the client in flight
};

/// One attempt's place at a backend, returned by Router::ended(). A plain value; the caller keeps it.
struct Lease {
    BackendIndex backend = no_backend;
    DeploymentRef deployment;
    Slot* slot = nullptr;  ///< of the deployment at that backend; owned by the router
    OperationIndex operation = 0;
    std::uint64_t reserved = 0;     ///< tokens
    std::uint64_t fingerprint = 0;  ///< from Ask, or set by the caller before an attempt that failed ends
    Mono at{};
    std::uint64_t client = 0;     ///< from Ask
    std::uint32_t in_flight = 0;  ///< with it, at the deployment, when it began
    bool probe = false;           ///< the one request that tests a backend after a cool-down
    bool last_resort = false;     ///< all have failed, and this one is the least bad
    bool spilled = false;         ///< after a failed attempt, or a better priority was passed over
    quota::Reservation quota;     ///< in the mirror of the deployment's quota
};

/// Why no backend was found.
enum class Cause : std::uint8_t {
    none,             ///< one was found
    quota,            ///< out of quota: see Choice::retry_in
    failures,         ///< all others are failing or were tried
    out_of_rotation,  ///< draining or disabled
    not_served,       ///< no backend serves the deployment or model
    busy,             ///< all have as many requests in flight as they sustain
    too_large,        ///< the request exceeds every whole quota
};
[[nodiscard]] std::string_view to_string(Cause cause) noexcept;

struct Choice {
    Lease lease;  ///< backend == no_backend: none is usable
    Cause cause = Cause::none;
    Duration retry_in{};  ///< without a backend: when one may serve, at least 1 ms
    /// Without a backend: the failures found, one bit for each Reason.
    std::uint32_t reasons = 0;
    /// Expected number of 429s, 0 to 1, that a first attempt by priority and weight alone would have met,
    /// according to the mirrors.
    double avoided = 0;

    [[nodiscard]] bool found() const noexcept { return lease.backend != no_backend; }
    [[nodiscard]] bool has(Reason reason) const noexcept {
        return (reasons >> static_cast<unsigned>(reason) & 1U) != 0;
    }
};

}  // namespace spillway::routing
