#pragma once
/// Which backend gets the next attempt, and what each answer teaches. Pure: no socket, no clock and no
/// randomness of its own; `now` and an Rng are handed in.
///
///     const auto name = router.deployment("gpt-4o");           // once per request; bounded, never fails
///     Choice c = router.pick({name, tokens, tried}, now, rng);  // reserves quota on the chosen backend
///     router.began(c.lease, limits, now);                       // a 2xx head came: it serves
///     router.ended(c.lease, outcome, now);                      // exactly once per lease
///
/// Rules: DESIGN "Wire rules that must hold" and the public policy `openai-apim-lb`: 401, 429, ≥ 500, connect
/// errors and time-outs make a backend unavailable for `retry_after` (capped; a default if none was told);
/// lower priority number first; among equals by weight and headroom; a cool-down ends in a single probe.
/// Of many backends of one priority a few are looked at for each request (routing/picker.hpp).
/// A 429 concerns one deployment of a backend (Azure's quotas are per deployment); 401, connect errors and
/// time-outs concern the whole backend.
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
#include "quota/mirror.hpp"
#include "quota/peers.hpp"
#include "routing/weighted_pick.hpp"

namespace spillway::routing {

using BackendIndex = std::uint32_t;
inline constexpr BackendIndex no_backend = 0xffffffffU;

/// A requested deployment or model name, interned; the empty name is one as well.
struct DeploymentRef {
    std::uint32_t index = 0;
};

struct Ask {
    DeploymentRef deployment;
    std::uint64_t tokens = 0;             ///< estimate of what the backend will charge at admission
    std::span<const BackendIndex> tried;  ///< not to be picked again for this request
    std::optional<BackendIndex> pinned;   ///< only this one will do (ids live on one resource)
    std::uint64_t affinity = 0;           ///< hash of the prompt's prefix; 0: none
    /// Names who asks, by chance: in a moment with many requests, the same few of many backends serve an
    /// asker's (routing/picker.hpp). 0: each request is for itself.
    std::uint64_t asker = 0;
};

/// One attempt's claim on a backend, given back by ended(). A plain value; the caller keeps it.
struct Lease {
    BackendIndex backend = no_backend;
    DeploymentRef deployment;
    std::uint64_t reserved = 0;  ///< tokens
    Mono at{};
    bool probe = false;        ///< the single request that tests a backend after its cool-down
    bool spilled = false;      ///< another failed first, or one of a better priority was passed over
    quota::Reservation quota;  ///< what the mirror of the deployment's quota holds for it
};

enum class PickReason : std::uint8_t {
    preferred,  ///< highest priority, by weight and headroom
    only_one,   ///< no other was usable; not said of a backend that was drawn of many
    affinity,   ///< holds the prompt's prefix
    pinned,     ///< holds the resource asked for
    spilled,    ///< a higher priority was out of quota or cooling down
    probe,      ///< tests a backend after its cool-down
    none,       ///< no backend: see Choice::retry_in
};
[[nodiscard]] std::string_view to_string(PickReason reason) noexcept;

struct Choice {
    Lease lease;  ///< backend == no_backend: nobody is usable
    PickReason reason = PickReason::none;
    Duration retry_in{};  ///< without a backend: soonest time one could serve, never below 1 ms
    /// Expected number of 429s, 0…1, that a first attempt by priority and weight alone would have met, as
    /// the mirrors see it.
    double avoided = 0;
    [[nodiscard]] bool found() const noexcept { return lease.backend != no_backend; }
};

enum class OutcomeKind : std::uint8_t {
    served,        ///< answered to its end
    client_error,  ///< a 4xx that is the client's affair (400, 404, content filter): says the backend is well
    throttled,     ///< 429
    unauthorized,  ///< 401 (403 is the client's affair)
    server_error,  ///< ≥ 500
    connect_error,  ///< no connection: resolve, connect, TLS
    timeout,        ///< no first byte or no next byte in time
    broken,         ///< closed or malformed before the end, or an error event inside a stream
    cancelled,      ///< the client left, or shutdown: says nothing of the backend
};
[[nodiscard]] std::string_view to_string(OutcomeKind kind) noexcept;

struct Outcome {
    OutcomeKind kind = OutcomeKind::served;
    unsigned status = 0;                  ///< 0: none was received
    std::optional<Duration> retry_after;  ///< api::retry_after() of the answer's head
    api::RateLimits limits;               ///< of the answer's head, if there was one
    std::optional<std::uint64_t> tokens;  ///< what the request really used, prompt and completion
    Duration first_byte{};                ///< send to first byte of the answer; zero: none came
};

/// What the operator wants of a backend; kept in memory only.
enum class Mode : std::uint8_t {
    on,
    draining,  ///< only requests that must go there (Ask::pinned); those in flight end as they would
    off,       ///< none
};
[[nodiscard]] std::string_view to_string(Mode mode) noexcept;

/// For the admin plane.
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
        Duration tokens_reset{}, requests_reset{};  ///< until all is there again, as the mirror sees it
        std::uint64_t reserved_tokens = 0;
        std::uint32_t in_flight = 0;
    };
    std::string name;
    State state = State::available;
    Mode mode = Mode::on;
    std::string reason;  ///< "429", "connect", "401", …; empty when available
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
    Router(std::span<const config::BackendConfig> backends, const config::RetryConfig& retry,
           Options options = {});
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;
    ~Router();

    [[nodiscard]] DeploymentRef deployment(std::string_view requested);
    /// All DeploymentRef::index are below this.
    [[nodiscard]] std::uint32_t deployment_bound() const noexcept;
    [[nodiscard]] Choice pick(const Ask& ask, Mono now, Rng& rng);
    /// A 2xx head came. Returns what the backend charged for this request at admission, where that can be
    /// told apart from its neighbours: for quota::Estimator::charged().
    std::optional<std::uint64_t> began(const Lease& lease, const api::RateLimits& limits, Mono now);
    void ended(const Lease& lease, const Outcome& outcome, Mono now);

    /// Earns the retry budget's share of one request.
    void request_came() noexcept;
    /// Takes one retry out of the budget; false: it is used up, give the client what there is.
    [[nodiscard]] bool take_retry() noexcept;

    [[nodiscard]] std::size_t size() const noexcept;
    /// Is any backend usable now? For /readyz.
    [[nodiscard]] bool ready(Mono now) const;
    [[nodiscard]] std::vector<BackendView> view(Mono now) const;
    /// What this replica knows that others cannot, and what they tell (quota/peers.hpp).
    [[nodiscard]] std::vector<quota::PeerReport> report(Mono now) const;
    void heed(const quota::PeerNews& news, Mono now) noexcept;
    /// Takes a backend out of rotation, or puts it back (admin plane).
    void set_mode(BackendIndex backend, Mode mode) noexcept;

private:
    friend class Picker;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace spillway::routing
