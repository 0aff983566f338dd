#pragma once
/// Which backend gets the next attempt, and what each answer teaches. Pure: no socket, no clock and no
/// randomness of its own; `now` and an Rng are handed in.
///
///     const auto name = router.deployment("gpt-4o", now);       // once per request; bounded, never fails
///     Choice c = router.pick({name, operation, tokens, tried}, now, rng);  // reserves quota there
///     router.began(c.lease, limits, now);                       // a 2xx head came: it serves
///     router.ended(c.lease, outcome_of(blame(…)), now, &history);  // exactly once per lease
///
/// Rules (docs/routing.md): lower priority number first; among equals by weight and headroom; whose fault a
/// failure is and how far it reaches says its Verdict (routing/blame.hpp). A 429 closes a deployment of a
/// backend for as long as was told; a few failures of different requests close it for a time that grows from
/// 1 s; a backend that cannot be reached is closed at once. The last one that could serve is never closed by
/// its own failures, and if only failures stand in the way, the least bad is tried with the live request.
/// Of many backends of one priority a few are looked at for each request (routing/picker.hpp).
///
/// Ownership: copies what it needs of the configuration. Thread rule: every function from any thread; state
/// is atomics, no lock is shared on the request's path. Errors: none; a choice without a backend says why.
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
#include "routing/backend_view.hpp"
#include "routing/choice.hpp"
#include "routing/outcome.hpp"
#include "routing/state_change.hpp"
#include "routing/weighted_pick.hpp"

namespace spillway::routing {

class AttemptHistory;

/// What bench/routing compares; the defaults are what it found to be best (docs/routing.md).
struct Options {
    Strategy strategy = Strategy::pace;
    bool mirror = true;  ///< false: quotas are learned of by being refused only
    bool trials = true;  ///< send one request where the mirror is not sure, rather than to refuse it
    /// Of a priority with more backends than this, `draws` are drawn and looked at.
    std::uint32_t look_at_all = 8;
    std::uint32_t draws = 4;
};

class Router {
public:
    /// `before`: the router of the configuration before, which may be in use; what it has learned of backends
    /// with the same name, URL and deployments is taken over, and not kept.
    Router(std::span<const config::BackendConfig> backends, const config::RetryConfig& retry,
           Options options = {}, const Router* before = nullptr);
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;
    ~Router();

    /// Interned; for clients that may use it only, since there is room for some hundred names.
    [[nodiscard]] DeploymentRef deployment(std::string_view requested, Mono now);
    /// All DeploymentRef::index are below this.
    [[nodiscard]] std::uint32_t deployment_bound() const noexcept;
    [[nodiscard]] Choice pick(const Ask& ask, Mono now, Rng& rng);
    /// A 2xx head came. Returns what the backend charged for this request at admission, where that can be
    /// told apart from its neighbours: for quota::Estimator::charged().
    std::optional<std::uint64_t> began(const Lease& lease, const api::RateLimits& limits, Mono now);
    /// `history`: the request's, if it may be tried elsewhere.
    void ended(const Lease& lease, const Outcome& outcome, Mono now, AttemptHistory* history = nullptr);
    /// The whole of the quota that the lease draws on, for Evidence::whole_quota.
    [[nodiscard]] std::uint64_t whole_quota(const Lease& lease, const api::RateLimits& told) const noexcept;

    /// Earns the retry budget's share of one request.
    void request_came() noexcept;
    /// Takes one retry out of the budget; false: it is used up, or the request became suspect before it came
    /// (`history`: its own). Give the client what there is.
    [[nodiscard]] bool try_retry(std::uint64_t fingerprint, Mono now,
                                 const AttemptHistory* history = nullptr) noexcept;

    [[nodiscard]] std::size_t size() const noexcept;
    /// Is any backend usable now? For /readyz.
    [[nodiscard]] bool ready(Mono now) const;
    /// Does any backend in rotation serve it, as far as the configuration says and was learned? For
    /// /v1/models.
    [[nodiscard]] bool serves(std::string_view requested) const;
    /// Names that the configuration or an answer vouches for, sorted.
    [[nodiscard]] std::vector<std::string> models() const;
    [[nodiscard]] std::vector<BackendView> view(Mono now) const;
    /// Changes of backends' states since the last call, for the log.
    [[nodiscard]] std::vector<StateChange> fetch_changes();
    /// What this replica knows that others cannot, and what they observed (quota/peers.hpp).
    [[nodiscard]] std::vector<quota::PeerReport> report(Mono now) const;
    void merge(const quota::PeerReport& observed, Mono now) noexcept;
    /// Takes a backend out of rotation, or puts it back (admin plane).
    void set_mode(BackendIndex backend, Mode mode) noexcept;

private:
    friend class Picker;
    friend class Consequences;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace spillway::routing
