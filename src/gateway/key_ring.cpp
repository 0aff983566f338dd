#include "gateway/key_ring.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace spillway::gateway {

KeyRing::KeyRing(const store::Mac& secret, std::vector<KeyEntry> entries, bool any_made)
    : secret_(secret), entries_(std::move(entries)), any_made_(any_made) {
    slots_.resize(std::bit_ceil(std::max<std::size_t>(entries_.size(), 1) * 2));
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        std::size_t slot = first_slot(entries_[i].mac);
        while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
        slots_[slot] = static_cast<std::uint32_t>(i + 1);
    }
}

std::size_t KeyRing::first_slot(const store::Mac& mac) const noexcept {
    // A MAC is uniform already.
    std::size_t hash = 0;
    std::memcpy(&hash, mac.data(), sizeof hash);
    return hash & (slots_.size() - 1);
}

const KeyClient* KeyRing::find(std::string_view key, Wall now) const {
    if (entries_.empty() || key.empty()) return nullptr;
    // A mistyped one is known by its check.
    if (key.starts_with(identity::kKeyPrefix) && !identity::is_made_key(key)) return nullptr;
    const store::Mac mac = identity::mac_of_key(secret_, key);
    for (std::size_t at = first_slot(mac); slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
        const KeyEntry& entry = entries_[slots_[at] - 1];
        if (CRYPTO_memcmp(entry.mac.data(), mac.data(), mac.size()) != 0) continue;
        return entry.ends && *entry.ends <= now ? nullptr : entry.client.get();
    }
    return nullptr;
}

}  // namespace spillway::gateway
