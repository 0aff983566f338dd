#include "routing/deployment_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace spillway::routing {
namespace {

/// A look-up takes microseconds; a name that was taken out is kept for this long after.
constexpr Duration grace = std::chrono::seconds(10);

std::uint32_t second_of(Mono now) noexcept {
    return static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::seconds(1));
}
std::size_t hash_of(std::string_view name) noexcept {
    return std::hash<std::string_view>{}(name);
}

}  // namespace

DeploymentTable::DeploymentTable(std::uint32_t capacity, OnNew on_new, MayGo may_go)
    : capacity_(std::max<std::uint32_t>(capacity, 1)),
      on_new_(std::move(on_new)),
      may_go_(std::move(may_go)),
      places_(std::bit_ceil(std::size_t{capacity_} * 2)),
      uses_(capacity_),
      entries_(capacity_) {
    (void)configure("");
}

const DeploymentTable::Entry* DeploymentTable::find(std::string_view name,
                                                    std::size_t& place) const noexcept {
    const std::size_t mask = places_.size() - 1;
    for (place = hash_of(name) & mask;; place = (place + 1) & mask) {
        const Entry* entry = places_[place].load(std::memory_order_acquire);
        if (entry == nullptr || entry->name == name) return entry;
    }
}

std::uint32_t DeploymentTable::configure(std::string_view name) {
    if (name.size() > max_name_length) return overflow();
    return add(name, Mono{}, Standing::configured);
}

std::uint32_t DeploymentTable::intern(std::string_view name, Mono now) {
    std::size_t place = 0;
    if (const Entry* known = find(name, place)) {
        auto& last = uses_[known->number].last;
        if (last.load(std::memory_order_relaxed) != second_of(now))
            last.store(second_of(now), std::memory_order_relaxed);
        return known->number;
    }
    if (name.size() > max_name_length) return overflow();
    return add(name, now, Standing::made_up);
}

std::uint32_t DeploymentTable::add(std::string_view name, Mono now, Standing standing) {
    const std::scoped_lock lock(mutex_);
    std::size_t place = 0;
    if (const Entry* known = find(name, place)) {
        if (standing == Standing::configured) uses_[known->number].standing.store(standing);
        return known->number;
    }
    const std::uint32_t number = place_for_new(now);
    if (number >= capacity_) return overflow();
    uses_[number].standing.store(standing, std::memory_order_relaxed);
    uses_[number].last.store(second_of(now), std::memory_order_relaxed);
    entries_[number] = std::make_unique<const Entry>(Entry{std::string(name), number});
    if (on_new_) on_new_(number, name);
    (void)find(name, place);  // again: others may have moved
    places_[place].store(entries_[number].get(), std::memory_order_release);
    if (number >= size()) size_.store(number + 1, std::memory_order_release);
    return number;
}

std::uint32_t DeploymentTable::place_for_new(Mono now) {
    if (size() < capacity_) return size();
    while (!retired_.empty() && now - retired_.front().since > grace) retired_.pop_front();
    if (retired_.size() >= std::size_t{capacity_} * 4) return overflow();
    std::uint32_t oldest = overflow();
    const auto rank = [&](std::uint32_t n) {
        return std::pair(uses_[n].standing.load(std::memory_order_relaxed),
                         uses_[n].last.load(std::memory_order_relaxed));
    };
    const auto length = static_cast<std::uint32_t>(forgotten_after / std::chrono::seconds(1));
    for (std::uint32_t n = 0; n < capacity_; ++n) {
        const auto [standing, last] = rank(n);
        if (standing == Standing::configured) continue;
        if (standing == Standing::proven && second_of(now) - last < length) continue;
        if (oldest != overflow() && rank(oldest) <= rank(n)) continue;
        if (!may_go_ || may_go_(n)) oldest = n;
    }
    if (oldest != overflow()) evict(oldest, now);
    return oldest;
}

/// Closes the gap that the entry leaves (Knuth 6.4, algorithm R), so that a look-up needs no marks of what
/// was taken out. One that runs meanwhile may miss a name; it then looks again under the lock.
void DeploymentTable::evict(std::uint32_t number, Mono now) {
    const std::size_t mask = places_.size() - 1;
    std::size_t gap = 0;
    (void)find(entries_[number]->name, gap);
    for (std::size_t next = (gap + 1) & mask;; next = (next + 1) & mask) {
        const Entry* entry = places_[next].load(std::memory_order_relaxed);
        if (entry == nullptr) break;
        const std::size_t home = hash_of(entry->name) & mask;
        if (((next - home) & mask) < ((next - gap) & mask)) continue;
        places_[gap].store(entry, std::memory_order_release);
        gap = next;
    }
    places_[gap].store(nullptr, std::memory_order_release);
    retired_.push_back({std::move(entries_[number]), now});
}

void DeploymentTable::prove(std::uint32_t number) noexcept {
    if (number >= capacity_) return;
    auto& standing = uses_[number].standing;
    if (standing.load(std::memory_order_relaxed) == Standing::made_up)
        standing.store(Standing::proven, std::memory_order_relaxed);
}

std::vector<std::string> DeploymentTable::proven() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> out;
    for (std::uint32_t n = 0; n < size(); ++n)
        if (uses_[n].standing.load(std::memory_order_relaxed) != Standing::made_up && entries_[n])
            out.push_back(entries_[n]->name);
    return out;
}

}  // namespace spillway::routing
