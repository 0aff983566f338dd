#include "routing/router.hpp"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cmath>

#include "routing/backend_state.hpp"
#include "routing/deployment_table.hpp"
#include "routing/retry_budget.hpp"
#include "routing/settle.hpp"
#include "routing/weighted_pick.hpp"

namespace spillway::routing {
namespace {

using Standing = Availability::Standing;

/// Names that clients may bring in, besides those of the configuration.
constexpr std::uint32_t client_names = 256;
/// A refusal that tells to wait for nothing: enough not to spin on it.
constexpr Duration told_zero = std::chrono::milliseconds(100);
constexpr Duration rounding = std::chrono::milliseconds(100);
constexpr Duration shortest_wait = std::chrono::milliseconds(1);

/// In which order candidates are taken: all priorities are searched for the first kind before the next.
enum class Pass : std::uint8_t {
    normal,   ///< open and with room, or ready for its probe
    ramping,  ///< over its ramp, or its probe is overdue: better than to refuse
    unsure,   ///< the mirror sees no room but may be wrong
};

struct Usable {
    BackendIndex backend = no_backend;
    std::uint32_t slot = 0;
    Pass pass = Pass::normal;
    bool probe_backend = false;
    bool probe_slot = false;
    Candidate candidate;

    [[nodiscard]] bool probes() const noexcept { return probe_backend || probe_slot; }
};
using Usables = boost::container::small_vector<Usable, 16>;

/// One that is not known to refuse, but for what its mirror says.
struct Open {
    BackendIndex backend = no_backend;
    bool full = false;
};
struct Look {
    Usables usable;  ///< in order of priority, as is `open`
    boost::container::small_vector<Open, 16> open;
    Duration soonest = api::max_wait;  ///< when one that is not usable could serve
};

std::uint32_t names_in(std::span<const config::BackendConfig> backends) {
    std::size_t names = 1;
    for (const auto& b : backends) names += b.deployments.size();
    return static_cast<std::uint32_t>(std::min<std::size_t>(names, 100'000));
}

bool contains(std::span<const BackendIndex> list, BackendIndex b) noexcept {
    return std::find(list.begin(), list.end(), b) != list.end();
}

}  // namespace

struct Router::Impl {
    Impl(std::span<const config::BackendConfig> configs, const config::RetryConfig& retry_config,
         Options how);

    [[nodiscard]] Duration cool_down(const Outcome& outcome) const noexcept;
    [[nodiscard]] Look look(const Ask& ask, Mono now) const;
    double avoided(const Look& look, const Ask& ask, BackendIndex chosen);
    [[nodiscard]] bool passes_over(std::uint32_t priority) const noexcept;
    bool claim(const Usable& option, const Ask& ask, Mono now, Lease& lease);
    [[nodiscard]] PickReason reason(const Usable& option, const Ask& ask, bool affinity, bool alone) const;

    config::RetryConfig retry;
    std::vector<std::unique_ptr<BackendState>> backends;
    std::vector<BackendIndex> by_priority;
    RetryBudget budget;
    DeploymentTable table;
    const Options options;
};

Router::Impl::Impl(std::span<const config::BackendConfig> configs, const config::RetryConfig& retry_config,
                   Options how)
    : retry(retry_config),
      backends([&] {
          std::vector<std::unique_ptr<BackendState>> made;
          const std::uint32_t numbers = names_in(configs) + client_names + 1;
          for (const auto& c : configs) made.push_back(std::make_unique<BackendState>(c, numbers));
          return made;
      }()),
      budget(retry_config.budget),
      table(names_in(configs) + client_names,
            [this](std::uint32_t number, std::string_view name) {
                for (auto& b : backends) b->add_slot(number, name);
            }),
      options(how) {
    for (auto& b : backends) b->add_slot(table.overflow(), std::nullopt);
    for (const auto& c : configs)
        for (const auto& [requested, deployment] : c.deployments) (void)table.intern(requested);
    for (BackendIndex i = 0; i < backends.size(); ++i) by_priority.push_back(i);
    std::stable_sort(by_priority.begin(), by_priority.end(), [&](BackendIndex a, BackendIndex b) {
        return backends[a]->config.priority < backends[b]->config.priority;
    });
}

Duration Router::Impl::cool_down(const Outcome& outcome) const noexcept {
    Duration wait = outcome.retry_after.value_or(retry.default_cool_down);
    if (wait <= Duration::zero()) wait = told_zero;
    return std::clamp(wait, shortest_wait, std::max(retry.max_cool_down, shortest_wait));
}

/// All that could serve `ask` now.
Look Router::Impl::look(const Ask& ask, Mono now) const {
    Look out;
    for (const BackendIndex index : by_priority) {
        if (ask.pinned && *ask.pinned != index) continue;
        BackendState& b = *backends[index];
        const Mode mode = b.mode.load(std::memory_order_relaxed);
        if (mode == Mode::off || (mode == Mode::draining && !ask.pinned)) continue;
        Usable o;
        o.backend = index;
        o.slot = b.slot_of(ask.deployment.index);
        Slot& slot = b.slot(o.slot);
        const auto whole = b.gate.look(now, b.in_flight.load(std::memory_order_relaxed));
        const auto part = slot.gate.look(now, slot.in_flight.load(std::memory_order_relaxed));
        quota::Room room;
        if (options.mirror) room = slot.mirror.room(ask.tokens, now);
        const Duration wait = std::max(whole.wait, part.wait);
        // The mirror was told of the same refusal, and rounds.
        const bool same = wait > Duration::zero() && room.wait > wait && room.wait - wait < rounding;
        // A limit that is only guessed must not make anyone wait.
        out.soonest = std::min(out.soonest, same ? wait : std::max(wait, room.wait));
        if (wait > Duration::zero() || contains(ask.tried, index)) continue;
        out.open.push_back({index, !room.fits});
        if (!room.fits && !(room.unsure && options.trials)) continue;
        for (const Standing s : {whole.standing, part.standing})
            if (s == Standing::ramp_full || s == Standing::probe_overdue) o.pass = Pass::ramping;
        if (!room.fits) o.pass = Pass::unsure;
        const auto probes = [](Standing s) {
            return s == Standing::probe_ready || s == Standing::probe_overdue;
        };
        o.probe_backend = probes(whole.standing);
        o.probe_slot = probes(part.standing);
        o.candidate = {b.config.weight, slot.in_flight.load(std::memory_order_relaxed), room.headroom,
                       room.left, b.hash};
        out.usable.push_back(o);
    }
    return out;
}

/// What a first attempt by priority and weight would have met with: among the first priority that is open,
/// the weight of those that are full and were not chosen.
double Router::Impl::avoided(const Look& look, const Ask& ask, BackendIndex chosen) {
    if (!ask.tried.empty() || look.open.empty()) return 0;
    const std::uint32_t first = backends[look.open.front().backend]->config.priority;
    double all = 0;
    for (const Open& o : look.open)
        if (backends[o.backend]->config.priority == first) all += backends[o.backend]->config.weight;
    double out = 0;
    for (const Open& o : look.open) {
        BackendState& b = *backends[o.backend];
        if (b.config.priority != first || !o.full || o.backend == chosen) continue;
        const double share = b.config.weight / all;
        b.avoided.fetch_add(static_cast<std::uint64_t>(std::llround(share * 1e6)), std::memory_order_relaxed);
        out += share;
    }
    return out;
}

/// Is there one of a better priority, in rotation?
bool Router::Impl::passes_over(std::uint32_t priority) const noexcept {
    return std::any_of(backends.begin(), backends.end(),
                       [&](const auto& b) { return b->config.priority < priority && b->on(); });
}

/// Makes `option` the request's, unless another thread was faster.
bool Router::Impl::claim(const Usable& option, const Ask& ask, Mono now, Lease& lease) {
    BackendState& b = *backends[option.backend];
    Slot& slot = b.slot(option.slot);
    if (option.probe_backend && !b.gate.try_probe(now)) return false;
    if (option.probe_slot && !slot.gate.try_probe(now)) {
        if (option.probe_backend) b.gate.release_probe(now);
        return false;
    }
    if (options.mirror) {
        const auto reserved = option.pass == Pass::unsure ? slot.mirror.reserve_trial(ask.tokens, now)
                                                          : slot.mirror.reserve(ask.tokens, now);
        if (!reserved) {
            if (option.probe_backend) b.gate.release_probe(now);
            if (option.probe_slot) slot.gate.release_probe(now);
            return false;
        }
        lease.quota = *reserved;
    }
    b.in_flight.fetch_add(1, std::memory_order_relaxed);
    slot.in_flight.fetch_add(1, std::memory_order_relaxed);
    if (!slot.asked.load(std::memory_order_relaxed)) slot.asked.store(true, std::memory_order_relaxed);
    lease.backend = option.backend;
    lease.slot = option.slot;
    lease.reserved = ask.tokens;
    lease.at = now;
    lease.probe = option.probes();
    lease.spilled = !ask.pinned && (!ask.tried.empty() || passes_over(b.config.priority));
    return true;
}

PickReason Router::Impl::reason(const Usable& option, const Ask& ask, bool affinity, bool alone) const {
    if (ask.pinned) return PickReason::pinned;
    if (option.probes()) return PickReason::probe;
    if (affinity) return PickReason::affinity;
    if (passes_over(backends[option.backend]->config.priority)) return PickReason::spilled;
    return alone ? PickReason::only_one : PickReason::preferred;
}

Router::Router(std::span<const config::BackendConfig> backends, const config::RetryConfig& retry,
               Options options)
    : impl_(std::make_unique<Impl>(backends, retry, options)) {}

Router::~Router() = default;

DeploymentRef Router::deployment(std::string_view requested) {
    return {impl_->table.intern(requested)};
}

std::uint32_t Router::deployment_bound() const noexcept {
    return impl_->table.overflow() + 1;
}

Choice Router::pick(const Ask& ask, Mono now, Rng& rng) {
    Impl& s = *impl_;
    Choice choice;
    const Look seen = s.look(ask, now);
    const Usables& all = seen.usable;
    const bool alone = all.size() == 1;
    const auto rank = [&](const Usable& o) { return s.backends[o.backend]->config.priority; };

    for (const Pass pass : {Pass::normal, Pass::ramping, Pass::unsure}) {
        for (auto from = all.begin(); from != all.end();) {
            const auto to =
                std::find_if(from, all.end(), [&](const Usable& o) { return rank(o) != rank(*from); });
            Usables group;
            std::copy_if(from, to, std::back_inserter(group),
                         [&](const Usable& o) { return o.pass == pass; });
            from = to;
            while (!group.empty()) {
                bool affinity = false;
                boost::container::small_vector<Candidate, 16> candidates;
                for (const Usable& o : group) candidates.push_back(o.candidate);
                // A probe goes first, but not with a request that has failed already while others can serve
                // it.
                auto at = static_cast<std::size_t>(
                    std::find_if(group.begin(), group.end(), [](const Usable& o) { return o.probes(); }) -
                    group.begin());
                if (at < group.size() && !ask.tried.empty() && group.size() > 1) {
                    // Sort probes behind: choose among the others.
                    const auto others = std::stable_partition(group.begin(), group.end(),
                                                              [](const Usable& o) { return !o.probes(); });
                    if (others != group.begin()) {
                        candidates.clear();
                        for (auto it = group.begin(); it != others; ++it) candidates.push_back(it->candidate);
                        at = group.size();
                    } else {
                        at = 0;
                    }
                }
                if (at == group.size() && ask.affinity != 0) {
                    const std::size_t held = choose_by_affinity(candidates, ask.affinity);
                    affinity = held < candidates.size();
                    if (affinity) at = held;
                }
                if (at == group.size()) at = choose(s.options.strategy, candidates, rng);
                if (s.claim(group[at], ask, now, choice.lease)) {
                    choice.reason = s.reason(group[at], ask, affinity, alone);
                    choice.avoided = s.avoided(seen, ask, choice.lease.backend);
                    return choice;
                }
                group.erase(group.begin() + static_cast<std::ptrdiff_t>(at));
            }
        }
    }
    choice.avoided = s.avoided(seen, ask, no_backend);
    choice.retry_in = std::max(seen.soonest, shortest_wait);
    return choice;
}

std::optional<std::uint64_t> Router::began(const Lease& lease, const api::RateLimits& limits, Mono now) {
    if (lease.backend >= impl_->backends.size()) return std::nullopt;
    BackendState& b = *impl_->backends[lease.backend];
    Slot& slot = b.slot(lease.slot);
    b.gate.succeeded(lease.at, now);
    slot.gate.succeeded(lease.at, now);
    return slot.mirror.observe(lease.quota, lease.at, limits);
}

void Router::ended(const Lease& lease, const Outcome& outcome, Mono now) {
    if (lease.backend >= impl_->backends.size()) return;
    BackendState& b = *impl_->backends[lease.backend];
    Slot& slot = b.slot(lease.slot);
    b.in_flight.fetch_sub(1, std::memory_order_relaxed);
    slot.in_flight.fetch_sub(1, std::memory_order_relaxed);
    settle(slot.mirror, lease, outcome);
    switch (outcome.kind) {
        case OutcomeKind::served:
        case OutcomeKind::client_error:
            b.served.fetch_add(1, std::memory_order_relaxed);
            if (lease.spilled) b.spilled.fetch_add(1, std::memory_order_relaxed);
            if (outcome.tokens) b.tokens.fetch_add(*outcome.tokens, std::memory_order_relaxed);
            b.first_byte_us.fetch_add(
                std::chrono::duration_cast<std::chrono::microseconds>(outcome.first_byte).count(),
                std::memory_order_relaxed);
            b.gate.succeeded(lease.at, now);
            slot.gate.succeeded(lease.at, now);
            return;
        case OutcomeKind::cancelled:
            if (lease.probe) {
                b.gate.release_probe(lease.at);
                slot.gate.release_probe(lease.at);
            }
            return;
        case OutcomeKind::throttled:
            b.throttled.fetch_add(1, std::memory_order_relaxed);
            slot.gate.trip(TripReason::throttled, lease.at, now + impl_->cool_down(outcome));
            // It answered: for the backend as a whole that is a sign of life.
            b.gate.succeeded(lease.at, now);
            return;
        case OutcomeKind::unauthorized:
        case OutcomeKind::server_error:
        case OutcomeKind::connect_error:
        case OutcomeKind::timeout:
        case OutcomeKind::broken:
            break;
    }
    b.failed.fetch_add(1, std::memory_order_relaxed);
    b.gate.trip(trip_reason(outcome.kind), lease.at, now + impl_->cool_down(outcome));
    // The slot's own probe proved nothing about the slot.
    if (lease.probe) slot.gate.release_probe(lease.at);
}

void Router::request_came() noexcept {
    impl_->budget.earn();
}
bool Router::take_retry() noexcept {
    return impl_->budget.take();
}
std::size_t Router::size() const noexcept {
    return impl_->backends.size();
}
bool Router::ready(Mono now) const {
    return std::any_of(impl_->backends.begin(), impl_->backends.end(),
                       [&](const auto& b) { return b->ready(now); });
}
std::vector<BackendView> Router::view(Mono now) const {
    std::vector<BackendView> out;
    for (const auto& b : impl_->backends) out.push_back(b->view(now));
    return out;
}
std::vector<quota::PeerReport> Router::report(Mono now) const {
    std::vector<quota::PeerReport> out;
    for (const auto& b : impl_->backends) b->report(out, now);
    return out;
}
void Router::heed(const quota::PeerNews& news, Mono now) noexcept {
    for (const auto& b : impl_->backends) b->heed(news, now);
}
void Router::set_mode(BackendIndex backend, Mode mode) noexcept {
    if (backend < impl_->backends.size())
        impl_->backends[backend]->mode.store(mode, std::memory_order_relaxed);
}

}  // namespace spillway::routing
