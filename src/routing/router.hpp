#pragma once
/// Chooses the backend for each attempt, and learns from each answer. Pure: no socket, clock or randomness of
/// its own; `now` and an Rng are passed in.
///
///     const auto name = router.deployment("gpt-4o", now);       // once per request; bounded, never fails
///     Choice c = router.pick({name, operation, tokens, tried}, now, rng);  // reserves quota there
///     router.began(c.lease, limits, now);                       // a 2xx head came: it serves
///     router.ended(c.lease, outcome_of(blame(…)), now, &history);  // exactly once per lease
///
/// Rules (docs/routing.md): lower priority numbers first; among equals by weight and headroom. A failure's
/// Verdict (routing/blame.hpp) says whose fault it is and what it concerns. A 429 opens the circuit breaker
/// of a backend's deployment for the stated time; a few failures of different requests open it for a time
/// that starts at 1 s and grows; an unreachable backend's opens at once. The last backend that could serve is
/// never ejected by its own failures, and if nothing but failures prevents it, the least bad one is tried
/// with the live request. Of many backends of one priority only a few are examined (routing/picker.hpp).
///
/// Ownership: copies what it needs from the configuration. Thread rule: any function from any thread; state
/// is atomic, requests share no lock. Errors: none; a Choice without a backend says why.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/rate_limit.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "config/backend.hpp"
#include "config/gateway.hpp"
#include "quota/peers.hpp"
#include "routing/backend_index.hpp"
#include "routing/backend_memory.hpp"
#include "routing/backend_view.hpp"
#include "routing/choice.hpp"
#include "routing/outcome.hpp"
#include "routing/state_change.hpp"
#include "routing/weighted_pick.hpp"

namespace spillway::routing {

class AttemptHistory;

/// The variants that bench/routing compares; the defaults are those it found best (docs/routing.md).
struct Options {
    Strategy strategy = Strategy::pace;
    bool mirror = true;  ///< false: quotas are learned from refusals only
    bool adapt = true;   ///< limit requests in flight to what a deployment sustains
    bool trials = true;  ///< if the mirror is unsure, try one request rather than refuse it
    /// Of a priority with more backends than this, only `draws` are drawn and examined.
    std::uint32_t look_at_all = 8;
    std::uint32_t draws = 4;
};

class Router {
public:
    /// `before`: the previous configuration's router, possibly in use; what it has learned about backends
    /// with the same name, URL and deployments is taken over, and the pointer is not kept.
    Router(std::span<const config::BackendConfig> backends, const config::RetryConfig& retry,
           Options options = {}, const Router* before = nullptr);
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;
    ~Router();

    /// Interns a name; only for clients that may use it, since there is room for some hundred names.
    [[nodiscard]] DeploymentRef deployment(std::string_view requested, Mono now);
    /// All DeploymentRef::index are below this.
    [[nodiscard]] std::uint32_t deployment_bound() const noexcept;
    [[nodiscard]] Choice pick(const Ask& ask, Mono now, Rng& rng);
    /// A 2xx head has arrived. Returns the backend's charge for this request at admission, for
    /// quota::Estimator::charged(), if it can be separated from that of other requests.
    std::optional<std::uint64_t> began(const Lease& lease, const api::RateLimits& limits, Mono now);
    /// `history`: the request's, if it may be retried elsewhere.
    void ended(const Lease& lease, const Outcome& outcome, Mono now, AttemptHistory* history = nullptr);
    /// A stream's first output has come, or its time for that is over. `prompt`: its size in tokens.
    void first_token(const Lease& lease, std::uint64_t prompt, Duration took, Mono now);
    /// Whether whoever could serve the deployment has as many requests in flight as it sustains, so that one
    /// more of a client with `held` others in flight can be refused before its body is read. `coming`:
    /// requests whose bodies are being read.
    [[nodiscard]] bool busy(DeploymentRef deployment, std::uint32_t held, Mono now,
                            std::uint32_t coming = 0) const noexcept;
    /// The whole quota that the lease draws on, for Evidence::whole_quota.
    [[nodiscard]] std::uint64_t whole_quota(const Lease& lease,
                                            const api::RateLimits& reported) const noexcept;

    /// Whether Ask::fingerprint matters at present. Lease::fingerprint always does when an attempt failed.
    [[nodiscard]] bool has_suspects(Mono now) const noexcept;
    /// Call for each request: it earns its share of the retry budget.
    void request_came() noexcept;
    /// Spends one retry of the budget; false: it is exhausted, or the request has become suspect (`history`:
    /// its own). The client then gets the last failure.
    [[nodiscard]] bool try_retry(std::uint64_t fingerprint, Mono now,
                                 const AttemptHistory* history = nullptr) noexcept;

    [[nodiscard]] std::size_t size() const noexcept;
    /// Whether any backend is usable now. For /readyz.
    [[nodiscard]] bool ready(Mono now) const;
    /// Whether any backend in rotation serves it, as far as configured or learned. For
    /// /v1/models.
    [[nodiscard]] bool serves(std::string_view requested) const;
    /// Names known from the configuration or from an answer, sorted.
    [[nodiscard]] std::vector<std::string> models() const;
    [[nodiscard]] std::vector<BackendView> view(Mono now) const;
    /// Changes of backends' states since the last call, for the log.
    [[nodiscard]] std::vector<StateChange> fetch_changes();
    /// This replica's findings for the others, and theirs (quota/peers.hpp).
    [[nodiscard]] std::vector<quota::PeerReport> report(Mono now) const;
    void merge(const quota::PeerReport& observed, Mono now) noexcept;
    /// For the router of another process, and what another's knew; the latter before the first request.
    [[nodiscard]] RouterMemory memory(Mono now) const;
    void remember(const RouterMemory& memory, Mono now);
    /// Takes a backend out of rotation or puts it back (admin plane). The mode before.
    Mode set_mode(BackendIndex backend, Mode mode) noexcept;

private:
    friend class Picker;
    friend class Consequences;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace spillway::routing
