#include "routing/deployment_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace spillway::routing {

DeploymentTable::DeploymentTable(std::uint32_t capacity, OnNew on_new)
    : capacity_(std::max<std::uint32_t>(capacity, 1)),
      on_new_(std::move(on_new)),
      places_(std::bit_ceil(std::size_t{capacity_} * 2)) {
    (void)intern("");
}

const DeploymentTable::Entry* DeploymentTable::find(std::string_view name,
                                                    std::size_t& place) const noexcept {
    const std::size_t mask = places_.size() - 1;
    for (place = std::hash<std::string_view>{}(name)&mask;; place = (place + 1) & mask) {
        const Entry* entry = places_[place].load(std::memory_order_acquire);
        if (entry == nullptr || entry->name == name) return entry;
    }
}

std::uint32_t DeploymentTable::intern(std::string_view name) {
    std::size_t place = 0;
    if (const Entry* known = find(name, place)) return known->number;
    if (name.size() > max_name_length || size() >= capacity_) return overflow();

    const std::scoped_lock lock(mutex_);
    if (const Entry* known = find(name, place)) return known->number;
    const std::uint32_t number = size_.load(std::memory_order_relaxed);
    if (number >= capacity_) return overflow();
    entries_.push_back(std::make_unique<const Entry>(Entry{std::string(name), number}));
    if (on_new_) on_new_(number, name);
    places_[place].store(entries_.back().get(), std::memory_order_release);
    size_.store(number + 1, std::memory_order_release);
    return number;
}

}  // namespace spillway::routing
