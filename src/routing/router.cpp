#include "routing/router.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "config/served_models.hpp"
#include "routing/consequences.hpp"
#include "routing/picker.hpp"
#include "routing/router_impl.hpp"

namespace spillway::routing {
namespace {

/// Names that clients may bring in, besides those of the configuration.
constexpr std::uint32_t client_names = 256;

bool is_name(std::string_view pattern) noexcept {
    return pattern.find_first_of("*?") == std::string_view::npos;
}

/// All that the configuration names. The empty name is one.
std::set<std::string_view> names_in(std::span<const config::BackendConfig> backends) {
    constexpr std::size_t most = 100'000;
    std::set<std::string_view> names{""};
    for (const auto& b : backends) {
        for (const auto& [requested, deployment] : b.deployments)
            if (names.size() < most) names.insert(requested);
        for (const std::string& model : b.models)
            if (is_name(model) && names.size() < most) names.insert(model);
    }
    return names;
}
std::uint32_t capacity(std::span<const config::BackendConfig> backends) {
    return static_cast<std::uint32_t>(names_in(backends).size()) + client_names;
}

}  // namespace

Router::Impl::Impl(std::span<const config::BackendConfig> configs, const config::RetryConfig& retry_config,
                   Options how, const Impl* before)
    : retry(retry_config),
      backends([&] {
          std::vector<std::unique_ptr<BackendState>> made;
          const std::uint32_t numbers = capacity(configs) + 1;
          for (const auto& c : configs) {
              made.push_back(std::make_unique<BackendState>(c, numbers));
              if (before == nullptr) continue;
              for (const auto& old : before->backends) made.back()->adopt(*old);
          }
          return made;
      }()),
      budget(retry_config.budget),
      table(
          capacity(configs),
          [this](std::uint32_t number, std::string_view name) {
              for (auto& b : backends) b->set_slot(number, name);
          },
          [this](std::uint32_t number) {
              return std::ranges::all_of(backends, [&](const auto& b) { return b->idle(number); });
          }),
      options(how) {
    for (auto& b : backends) b->set_slot(table.overflow(), std::nullopt);
    for (const std::string_view name : names_in(configs)) (void)table.configure(name);
    if (before != nullptr) {
        for (const std::string& name : before->table.proven())
            if (table.size() < table.overflow()) table.prove(table.intern(name, Mono{}));
        for (auto& b : backends) b->adopted();
    }
    group_by_priority();
}

void Router::Impl::group_by_priority() {
    std::map<std::uint32_t, std::vector<BackendIndex>> by_priority;
    for (BackendIndex i = 0; i < backends.size(); ++i) by_priority[backends[i]->priority].push_back(i);
    for (auto& [priority, members] : by_priority) {
        PriorityGroup& group = groups.emplace_back();
        group.priority = priority;
        group.on = static_cast<std::uint32_t>(
            std::ranges::count_if(members, [&](BackendIndex i) { return backends[i]->on(); }));
        if (members.size() > options.look_at_all) {
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

bool Router::Impl::passes_over(std::uint32_t priority) const noexcept {
    for (const PriorityGroup& group : groups) {
        if (group.priority >= priority) return false;
        if (group.on.load(std::memory_order_relaxed) != 0) return true;
    }
    return false;
}

Router::Router(std::span<const config::BackendConfig> backends, const config::RetryConfig& retry,
               Options options, const Router* before)
    : impl_(std::make_unique<Impl>(backends, retry, options,
                                   before != nullptr ? before->impl_.get() : nullptr)) {}

Router::~Router() = default;

DeploymentRef Router::deployment(std::string_view requested, Mono now) {
    return {impl_->table.intern(requested, now)};
}

std::uint32_t Router::deployment_bound() const noexcept {
    return impl_->table.overflow() + 1;
}

Choice Router::pick(const Ask& ask, Mono now, Rng& rng) {
    return Picker(*impl_, ask, now, rng).run();
}

std::optional<std::uint64_t> Router::began(const Lease& lease, const api::RateLimits& limits, Mono now) {
    if (lease.backend >= impl_->backends.size()) return std::nullopt;
    Consequences(*impl_, lease, now).began();
    return lease.slot->mirror.observe(lease.quota, lease.at, limits);
}

void Router::ended(const Lease& lease, const Outcome& outcome, Mono now, AttemptHistory* history) {
    if (lease.backend < impl_->backends.size()) Consequences(*impl_, lease, now).ended(outcome, history);
}

void Router::first_token(const Lease& lease, std::uint64_t prompt, Duration took, Mono now) {
    if (lease.backend < impl_->backends.size()) Consequences(*impl_, lease, now).first_token(prompt, took);
}

bool Router::busy(DeploymentRef deployment, std::uint32_t held, Mono now,
                  std::uint32_t coming) const noexcept {
    if (!impl_->options.adapt) return false;
    bool full = false;
    for (const auto& b : impl_->backends) {
        const Slot* const slot = b->on() ? b->slot_for(deployment.index) : nullptr;
        if (slot == nullptr || b->breaker.look(now, 0).open() || slot->quota.look(now, 0).open() ||
            slot->failures.look(now, 0).open())
            continue;
        if (has_room(slot->most_in_flight.load(std::memory_order_relaxed),
                     slot->in_flight.load(std::memory_order_relaxed) + coming, held + coming))
            return false;
        full = true;
    }
    return full;
}

std::uint64_t Router::whole_quota(const Lease& lease, const api::RateLimits& reported) const noexcept {
    if (lease.backend >= impl_->backends.size()) return 0;
    if (reported.limit_tokens && *reported.limit_tokens > 0)
        return static_cast<std::uint64_t>(*reported.limit_tokens);
    return lease.slot->mirror.whole();
}

bool Router::has_suspects(Mono now) const noexcept {
    return impl_->suspects.any(now);
}
void Router::request_came() noexcept {
    impl_->budget.earn();
}
bool Router::try_retry(std::uint64_t fingerprint, Mono now, const AttemptHistory* history) noexcept {
    const bool by_itself = history != nullptr && history->suspect();
    return (by_itself || !impl_->suspects.has(fingerprint, now)) && impl_->budget.try_acquire();
}
std::size_t Router::size() const noexcept {
    return impl_->backends.size();
}
bool Router::ready(Mono now) const {
    return std::ranges::any_of(impl_->backends, [&](const auto& b) { return b->ready(now); });
}
bool Router::serves(std::string_view requested) const {
    return std::ranges::any_of(
        impl_->backends, [&](const auto& b) { return b->on() && config::serves(b->config, requested); });
}
std::vector<std::string> Router::models() const {
    std::vector<std::string> out = impl_->table.proven();
    std::erase_if(out, [&](const std::string& name) { return name.empty() || !serves(name); });
    std::ranges::sort(out);
    return out;
}
std::vector<BackendView> Router::view(Mono now) const {
    std::vector<BackendView> out;
    for (const auto& b : impl_->backends) out.push_back(b->view(now));
    return out;
}
std::vector<StateChange> Router::fetch_changes() {
    return impl_->changes.fetch();
}
std::vector<quota::PeerReport> Router::report(Mono now) const {
    std::vector<quota::PeerReport> out;
    for (const auto& b : impl_->backends) b->report(out, now);
    return out;
}
void Router::merge(const quota::PeerReport& observed, Mono now) noexcept {
    for (const auto& b : impl_->backends) b->merge(observed, now);
}
RouterMemory Router::memory(Mono now) const {
    RouterMemory out;
    out.names = impl_->table.proven();
    for (const auto& b : impl_->backends) out.backends.push_back(b->memory(now));
    return out;
}
void Router::remember(const RouterMemory& memory, Mono now) {
    // First the names, so that what is known of their deployments finds its place.
    for (const std::string& name : memory.names)
        if (impl_->table.size() < impl_->table.overflow()) impl_->table.prove(impl_->table.intern(name, now));
    for (const BackendMemory& one : memory.backends)
        for (BackendIndex i = 0; i < impl_->backends.size(); ++i)
            if (impl_->backends[i]->config.name == one.name) {
                impl_->backends[i]->remember(one, now);
                set_mode(i, one.mode);
            }
}
Mode Router::set_mode(BackendIndex backend, Mode mode) noexcept {
    if (backend >= impl_->backends.size()) return mode;
    BackendState& b = *impl_->backends[backend];
    const Mode before = b.mode.exchange(mode, std::memory_order_relaxed);
    const auto group = std::find_if(impl_->groups.begin(), impl_->groups.end(),
                                    [&](const PriorityGroup& g) { return g.priority == b.priority; });
    if (before != Mode::on && mode == Mode::on) group->on.fetch_add(1, std::memory_order_relaxed);
    if (before == Mode::on && mode != Mode::on) group->on.fetch_sub(1, std::memory_order_relaxed);
    return before;
}

}  // namespace spillway::routing
