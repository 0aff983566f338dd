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

std::size_t secrets_of(const KeyRing::Clients& clients) noexcept {
    std::size_t count = 0;
    for (const auto& client : clients) count += client->macs.size();
    return count;
}

}  // namespace

void KeyClient::open(quota::ClientQuotas& quotas) {
    std::call_once(opened, [&] {
        account = &quotas.find_or_add(quota::SubjectKind::client, client, {});
        held_account = quota::SubjectRef(account);
        if (own_limits) limits = quotas.key(id, own_limits.get());
    });
}

KeyRing::KeyRing(const store::Mac& secret, quota::ClientQuotas& quotas, Clients clients, bool any_made,
                 const KeyRing* before)
    : mac_of_(secret),
      quotas_(&quotas),
      clients_(std::move(clients)),
      slots_(twice(secrets_of(clients_))),
      remembered_(slots_.size(), huge_pages()),
      any_made_(any_made) {
    entries_.reserve(secrets_of(clients_));
    macs_.reserve(secrets_of(clients_));
    for (const auto& client : clients_)
        for (const store::KeyMacRow& row : client->macs) {
            entries_.push_back({client.get(), std::min(row.ends.value_or(Wall::max()),
                                                       client->expires.value_or(Wall::max()))});
            macs_.push_back(row.mac);
            std::size_t at = first_slot(slots_, row.mac.data());
            while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = static_cast<std::uint32_t>(entries_.size());
        }
    if (before == nullptr) return;
    for (const Remembered& one : before->remembered_)
        if (const std::uint32_t old = one.entry.load(std::memory_order_acquire); old != 0) {
            const std::uint32_t entry = by_mac(before->macs_[old - 1]);
            // One that was changed has no accounts yet.
            if (entry != 0 && entries_[entry - 1].client == before->entries_[old - 1].client)
                remember(one.digest, entry);
        }
}

/// 0: there is none. So do the next ones.
std::uint32_t KeyRing::by_mac(const store::Mac& mac) const noexcept {
    for (std::size_t at = first_slot(slots_, mac.data()); slots_[at] != 0;
         at = (at + 1) & (slots_.size() - 1))
        if (CRYPTO_memcmp(macs_[slots_[at] - 1].data(), mac.data(), mac.size()) == 0) return slots_[at];
    return 0;
}

std::uint32_t KeyRing::by_digest(const Digest& digest) const noexcept {
    for (std::size_t at = first_slot(remembered_, digest.data());; at = (at + 1) & (remembered_.size() - 1)) {
        const Remembered& one = remembered_[at];
        const std::uint32_t entry = one.entry.load(std::memory_order_acquire);
        if (entry == 0) return 0;
        if (CRYPTO_memcmp(one.digest.data(), digest.data(), one.digest.size()) == 0) return entry;
    }
}

/// Only digests of keys that are entries come here, so there is always room.
void KeyRing::remember(std::span<const unsigned char> digest, std::uint32_t entry) const noexcept {
    const std::lock_guard lock(remembering_);
    std::size_t at = first_slot(remembered_, digest.data());
    for (; remembered_[at].entry.load(std::memory_order_relaxed) != 0;
         at = (at + 1) & (remembered_.size() - 1))
        if (std::equal(remembered_[at].digest.begin(), remembered_[at].digest.end(), digest.begin())) return;
    std::copy_n(digest.begin(), remembered_[at].digest.size(), remembered_[at].digest.begin());
    remembered_[at].entry.store(entry, std::memory_order_release);
}

std::span<const std::byte> KeyRing::place_of(const identity::ClientKeys::Presented& key) const noexcept {
    if (entries_.empty() || key.key.empty()) return {};
    return std::as_bytes(std::span(remembered_).subspan(first_slot(remembered_, key.digest.data()), 1));
}

const KeyClient* KeyRing::find(const identity::ClientKeys::Presented& key, Wall now) const {
    if (entries_.empty() || key.key.empty()) return nullptr;
    std::uint32_t entry = by_digest(key.digest);
    if (entry == 0) {
        // A mistyped one is known by its check.
        if (key.key.starts_with(identity::kKeyPrefix) && !identity::is_made_key(key.key)) return nullptr;
        entry = by_mac(mac_of_(key.digest));
        if (entry == 0) return nullptr;
        entries_[entry - 1].client->open(*quotas_);
        remember(key.digest, entry);
    }
    const Entry& found = entries_[entry - 1];
    return found.ends <= now ? nullptr : found.client;
}

}  // namespace spillway::gateway
