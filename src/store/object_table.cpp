#include "store/object_table.hpp"

#include <algorithm>
#include <bit>
#include <functional>

namespace spillway::store {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::uint64_t kOwnerBits = (std::uint64_t{1} << 48U) - 1;

std::uint64_t hash_of(std::string_view id) noexcept {
    return std::hash<std::string_view>{}(id);
}

std::uint64_t packed(const ObjectPlace& place) noexcept {
    return std::uint64_t{place.resource} << 48U | (place.owner & kOwnerBits);
}

}  // namespace

OwnerHash hash_owner(std::string_view client, std::string_view team) noexcept {
    const std::uint64_t both =
        hash_of(client) * 0x9e3779b97f4a7c15U + (team.empty() ? 0 : hash_of(team) | 1U);
    const OwnerHash hash = (both ^ both >> 48U) & kOwnerBits;
    return hash == 0 ? 1 : hash;
}

ObjectTable::ObjectTable(std::size_t entries)
    : entries_(std::make_unique<Entry[]>(std::bit_ceil(std::max(entries, kWays)))),
      mask_(std::bit_ceil(std::max(entries, kWays)) / kWays - 1) {}

ObjectTable::Entry* ObjectTable::bucket(std::uint64_t hash) const noexcept {
    return &entries_[(hash & mask_) * kWays];
}

std::optional<ObjectPlace> ObjectTable::find(std::string_view id) const noexcept {
    const std::uint64_t hash = hash_of(id);
    const Entry* const from = bucket(hash);
    for (const Entry* entry = from; entry != from + kWays; ++entry) {
        const std::uint64_t place = entry->place.load(kRelaxed);
        if (place == 0 || (entry->mixed.load(kRelaxed) ^ place) != hash) continue;
        return ObjectPlace{static_cast<ResourceNumber>(place >> 48U), place & kOwnerBits};
    }
    return std::nullopt;
}

void ObjectTable::put(std::string_view id, const ObjectPlace& place) noexcept {
    const std::uint64_t hash = hash_of(id);
    const std::uint64_t word = packed(place);
    Entry* const from = bucket(hash);
    Entry* to = nullptr;
    for (Entry* entry = from; entry != from + kWays; ++entry) {
        const std::uint64_t old = entry->place.load(kRelaxed);
        const bool same = old != 0 && (entry->mixed.load(kRelaxed) ^ old) == hash;
        if (same) {
            to = entry;
            break;
        }
        if (old == 0 && to == nullptr) to = entry;
    }
    // One gives way: which, the hash's upper bits say, as good as by chance.
    if (to == nullptr) to = from + (hash >> 60U) % kWays;
    to->mixed.store(hash ^ word, kRelaxed);
    to->place.store(word, kRelaxed);
}

void ObjectTable::erase(std::string_view id) noexcept {
    const std::uint64_t hash = hash_of(id);
    Entry* const from = bucket(hash);
    for (Entry* entry = from; entry != from + kWays; ++entry) {
        const std::uint64_t place = entry->place.load(kRelaxed);
        if (place != 0 && (entry->mixed.load(kRelaxed) ^ place) == hash) entry->place.store(0, kRelaxed);
    }
}

}  // namespace spillway::store
