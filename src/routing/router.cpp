#include "routing/router.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "routing/picker.hpp"
#include "routing/router_impl.hpp"
#include "routing/settle.hpp"

namespace spillway::routing {
namespace {

/// Names that clients may bring in, besides those of the configuration.
constexpr std::uint32_t client_names = 256;
/// A refusal that tells to wait for nothing: enough not to spin on it.
constexpr Duration told_zero = std::chrono::milliseconds(100);
constexpr Duration shortest_wait = std::chrono::milliseconds(1);

std::uint32_t names_in(std::span<const config::BackendConfig> backends) {
    std::set<std::string_view> names{""};
    for (const auto& b : backends)
        for (const auto& [requested, deployment] : b.deployments) names.insert(requested);
    return static_cast<std::uint32_t>(std::min<std::size_t>(names.size(), 100'000));
}

}  // namespace

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
    std::map<std::uint32_t, std::vector<BackendIndex>> by_priority;
    for (BackendIndex i = 0; i < backends.size(); ++i) by_priority[backends[i]->priority].push_back(i);
    for (auto& [priority, members] : by_priority) {
        PriorityGroup& group = groups.emplace_back();
        group.priority = priority;
        group.on = static_cast<std::uint32_t>(members.size());
        if (members.size() > how.look_at_all) {
            std::vector<std::uint32_t> weights;
            std::vector<PrefixTable::Member> holders;
            for (const BackendIndex i : members) {
                weights.push_back(backends[i]->weight);
                holders.push_back({backends[i]->hash, backends[i]->weight});
            }
            group.weights = AliasTable(weights);
            group.prefixes = PrefixTable(holders);
        }
        group.members = std::move(members);
    }
}

Duration Router::Impl::cool_down(const Outcome& outcome) const noexcept {
    Duration wait = outcome.retry_after.value_or(retry.default_cool_down);
    if (wait <= Duration::zero()) wait = told_zero;
    return std::clamp(wait, shortest_wait, std::max(retry.max_cool_down, shortest_wait));
}

bool Router::Impl::passes_over(std::uint32_t priority) const noexcept {
    for (const PriorityGroup& group : groups) {
        if (group.priority >= priority) return false;
        if (group.on.load(std::memory_order_relaxed) != 0) return true;
    }
    return false;
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
    return Picker(*impl_, ask, now, rng).run();
}

std::optional<std::uint64_t> Router::began(const Lease& lease, const api::RateLimits& limits, Mono now) {
    if (lease.backend >= impl_->backends.size()) return std::nullopt;
    BackendState& b = *impl_->backends[lease.backend];
    Slot& slot = b.slot_for(lease.deployment.index);
    b.gate.succeeded(lease.at, now);
    slot.gate.succeeded(lease.at, now);
    return slot.mirror.observe(lease.quota, lease.at, limits);
}

void Router::ended(const Lease& lease, const Outcome& outcome, Mono now) {
    if (lease.backend >= impl_->backends.size()) return;
    BackendState& b = *impl_->backends[lease.backend];
    Slot& slot = b.slot_for(lease.deployment.index);
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
    if (backend >= impl_->backends.size()) return;
    BackendState& b = *impl_->backends[backend];
    const Mode before = b.mode.exchange(mode, std::memory_order_relaxed);
    const auto group = std::find_if(impl_->groups.begin(), impl_->groups.end(),
                                    [&](const PriorityGroup& g) { return g.priority == b.priority; });
    if (before != Mode::on && mode == Mode::on) group->on.fetch_add(1, std::memory_order_relaxed);
    if (before == Mode::on && mode != Mode::on) group->on.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace spillway::routing
