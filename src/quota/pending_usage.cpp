#include "quota/pending_usage.hpp"

#include <utility>

namespace spillway::quota {

std::optional<PendingWork> PendingUsage::keep(std::string_view id, PendingWork work, Mono now) {
    work.grant.leave_flight();
    const std::lock_guard lock(mutex_);
    std::optional<PendingWork> displaced;
    if (const auto same = by_id_.find(id); same != by_id_.end()) displaced = remove(same->second);
    const auto own = of_client_.find(work.client);
    if (order_.size() >= limits_.most || (own != of_client_.end() && own->second >= limits_.most_of_one))
        return work;
    ++of_client_[work.client];
    order_.push_back({std::string(id), std::move(work), now});
    by_id_.emplace(order_.back().id, std::prev(order_.end()));
    size_.store(order_.size(), std::memory_order_relaxed);
    return displaced;
}

std::optional<PendingWork> PendingUsage::finish(std::string_view id) {
    if (size() == 0) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return std::nullopt;
    return remove(found->second);
}

std::vector<PendingWork> PendingUsage::expired(Mono now, std::size_t most) {
    std::vector<PendingWork> out;
    if (size() == 0) return out;
    const std::lock_guard lock(mutex_);
    while (!order_.empty() && out.size() < most && now - order_.front().since > limits_.age)
        out.push_back(remove(order_.begin()));
    return out;
}

std::vector<PendingWork> PendingUsage::drain() {
    std::vector<PendingWork> out;
    const std::lock_guard lock(mutex_);
    while (!order_.empty()) out.push_back(remove(order_.begin()));
    return out;
}

PendingWork PendingUsage::remove(Order::iterator entry) {
    by_id_.erase(entry->id);
    PendingWork work = std::move(entry->work);
    order_.erase(entry);
    if (const auto own = of_client_.find(work.client); own != of_client_.end() && --own->second == 0)
        of_client_.erase(own);
    size_.store(order_.size(), std::memory_order_relaxed);
    return work;
}

}  // namespace spillway::quota
