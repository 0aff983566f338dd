#include "gateway/key_ring.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/huge_pages.hpp"

namespace spillway::gateway {
namespace {

/// A MAC or a digest is uniform already: its first bytes are the hash.
template <class Table>
std::size_t first_slot(const Table& table, const unsigned char* bytes) noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, bytes, sizeof hash);
    return hash & (table.size() - 1);
}

std::size_t twice(std::size_t entries) noexcept {
    return std::bit_ceil(std::max<std::size_t>(entries, 1) * 2);
}

std::size_t secrets_of(const KeyRing::Keys& keys) noexcept {
    std::size_t count = 0;
    for (const auto& key : keys) count += key->macs.size();
    return count;
}

}  // namespace

void MadeKey::open(quota::ClientQuotas& quotas) {
    std::call_once(opened, [&] {
        account = quota::SubjectRef(&quotas.find_or_add(quota::SubjectKind::client, client, {}));
        if (own_limits) limits = quotas.key(id, own_limits.get());
    });
}

KeyRing::KeyRing(const store::Mac& secret, quota::ClientQuotas& quotas, Keys keys, bool any_made,
                 const KeyRing* before)
    : mac_of_(secret),
      quotas_(&quotas),
      keys_(std::move(keys)),
      slots_(twice(secrets_of(keys_))),
      remembered_(slots_.size(), huge_pages()),
      any_made_(any_made) {
    entries_.reserve(secrets_of(keys_));
    macs_.reserve(secrets_of(keys_));
    for (const auto& key : keys_)
        for (const store::KeyMacRow& row : key->macs) {
            entries_.push_back(
                {key.get(), std::min(row.ends.value_or(Wall::max()), key->expires.value_or(Wall::max()))});
            macs_.push_back(row.mac);
            std::size_t at = first_slot(slots_, row.mac.data());
            while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = static_cast<std::uint32_t>(entries_.size());
        }
    if (before == nullptr) return;
    for (const KeyClient& one : before->remembered_)
        if (const MadeKey* const old = one.key.load(std::memory_order_acquire)) {
            const std::uint32_t entry = by_mac(old->macs.front().mac);
            // One that was changed is another, and has no accounts yet.
            if (entry != 0 && entries_[entry - 1].key == old)
                remember(one.digest, {entries_[entry - 1].key, one.ends});
        }
}

/// 0: there is none. So do the next ones.
std::uint32_t KeyRing::by_mac(const store::Mac& mac) const noexcept {
    for (std::size_t at = first_slot(slots_, mac.data()); slots_[at] != 0;
         at = (at + 1) & (slots_.size() - 1))
        if (CRYPTO_memcmp(macs_[slots_[at] - 1].data(), mac.data(), mac.size()) == 0) return slots_[at];
    return 0;
}

const KeyClient* KeyRing::by_digest(const Digest& digest) const noexcept {
    for (std::size_t at = first_slot(remembered_, digest.data());; at = (at + 1) & (remembered_.size() - 1)) {
        const KeyClient& one = remembered_[at];
        if (one.key.load(std::memory_order_acquire) == nullptr) return nullptr;
        if (CRYPTO_memcmp(one.digest.data(), digest.data(), one.digest.size()) == 0) return &one;
    }
}

/// Only digests of keys that are entries come here, so there is always room.
const KeyClient* KeyRing::remember(std::span<const unsigned char> digest,
                                   const Entry& secret) const noexcept {
    const std::lock_guard lock(remembering_);
    std::size_t at = first_slot(remembered_, digest.data());
    for (; remembered_[at].key.load(std::memory_order_relaxed) != nullptr;
         at = (at + 1) & (remembered_.size() - 1)) {
        const KeyClient& one = remembered_[at];
        if (std::equal(one.digest.begin(), one.digest.end(), digest.begin())) return &one;
    }
    KeyClient& fresh = remembered_[at];
    const MadeKey& key = *secret.key;
    fresh.account = key.account;
    fresh.rules = key.own_rules ? kKeyRules : kKeyWithoutRules;
    fresh.number = key.number;
    fresh.limits = key.limits;
    fresh.ends = secret.ends;
    std::copy_n(digest.begin(), fresh.digest.size(), fresh.digest.begin());
    fresh.key.store(&key, std::memory_order_release);
    return &fresh;
}

std::span<const std::byte> KeyRing::place_of(const identity::ClientKeys::Presented& key) const noexcept {
    if (entries_.empty() || key.key.empty()) return {};
    return std::as_bytes(std::span(remembered_).subspan(first_slot(remembered_, key.digest.data()), 1));
}

const KeyClient* KeyRing::find(const identity::ClientKeys::Presented& key, Wall now) const {
    if (entries_.empty() || key.key.empty()) return nullptr;
    const KeyClient* client = by_digest(key.digest);
    if (client == nullptr) {
        // A mistyped one is known by its check.
        if (key.key.starts_with(identity::kKeyPrefix) && !identity::is_made_key(key.key)) return nullptr;
        const std::uint32_t entry = by_mac(mac_of_(key.digest));
        if (entry == 0) return nullptr;
        entries_[entry - 1].key->open(*quotas_);
        client = remember(key.digest, entries_[entry - 1]);
    }
    return client->ends <= now ? nullptr : client;
}

}  // namespace spillway::gateway
