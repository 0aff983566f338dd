#pragma once
/// The keys that were made at run time, as requests look them up: who shows one, and what it may.
///
/// Beside the configured clients' table (clients.hpp), which it leaves as it is. Built whole, off the
/// workers' threads, when a key changes, and swapped whole; what did not change is shared with the one
/// before. A key's end is looked at when it is shown, so nothing has to happen then.
///
/// A key is known by its MAC, which takes longer to make (1.3 µs) than everything else here. So the digest of
/// a key that was shown once is remembered, as configured clients' are, together with what requests read of
/// it; the MAC is made once for each key.
///
/// Ownership: points into the ClientQuotas, which must outlive it; a request holds the one that it found its
/// client in. Thread rule: safe from any thread; what it remembers is published with atomics, under a lock
/// that is taken once for each key. Errors: none; std::runtime_error if OpenSSL has no HMAC-SHA256.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/cache_line.hpp"
#include "base/clock.hpp"
#include "gateway/clients.hpp"
#include "identity/client_keys.hpp"
#include "identity/key_token.hpp"
#include "store/key_store.hpp"

namespace spillway::gateway {

/// A key, as long as it is in use. Its accounts are made when it is first shown: of 100,000 keys most are
/// idle.
struct MadeKey {
    std::string id;
    std::uint32_t number = 0;  ///< of its client, among those of keys
    std::once_flag opened;
    quota::SubjectRef account;
    quota::SubjectRef limits;  ///< the key's own; null: it has none
    std::string client;
    std::unique_ptr<const ClientRules> own_rules;            ///< null: none
    std::unique_ptr<const quota::SubjectLimits> own_limits;  ///< null: none
    std::optional<Wall> expires;
    std::vector<store::KeyMacRow> macs;

    /// Makes the accounts, once.
    void open(quota::ClientQuotas& quotas);
};

/// One secret of a key that was shown, as a client: what a request reads of it, in one cache line.
struct alignas(kCacheLine) KeyClient : Client {
    std::uint32_t number = 0;
    quota::Subject* limits = nullptr;
    Wall ends;                                 ///< the secret's own end, or the key's if that is sooner
    std::array<unsigned char, 24> digest{};    ///< 192 bits of it
    std::atomic<const MadeKey*> key{nullptr};  ///< written last, and read first; null: a free place

    [[nodiscard]] const MadeKey& made() const noexcept { return *key.load(std::memory_order_relaxed); }
};
static_assert(sizeof(KeyClient) == kCacheLine);

/// Empty: it is a configured client.
[[nodiscard]] inline std::string_view key_id(const Client& client) noexcept {
    return is_key(client) ? std::string_view(static_cast<const KeyClient&>(client).made().id)
                          : std::string_view();
}

/// The same for all requests of a client, or of a key, until they are changed.
[[nodiscard]] inline const void* identity_of(const Client& client) noexcept {
    return is_key(client) ? static_cast<const void*>(&static_cast<const KeyClient&>(client).made())
                          : static_cast<const void*>(&client);
}

class KeyRing {
public:
    using Keys = std::vector<std::shared_ptr<MadeKey>>;
    /// `before`: what that remembers of the same keys is taken over.
    KeyRing(const store::Mac& secret, quota::ClientQuotas& quotas, Keys keys, bool any_made,
            const KeyRing* before = nullptr);

    /// Null: nobody's, or its time is over. The key comes with its digest.
    [[nodiscard]] const KeyClient* find(const identity::ClientKeys::Presented& key, Wall now) const;
    /// The memory that find() reads first.
    [[nodiscard]] std::span<const std::byte> place_of(
        const identity::ClientKeys::Presented& key) const noexcept;
    /// How many secrets.
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    /// Whether a key was ever made: then nobody is served without one, unless that is allowed.
    [[nodiscard]] bool any_made() const noexcept { return any_made_; }

private:
    /// One secret of a key.
    struct Entry {
        MadeKey* key;
        Wall ends;
    };
    using Digest = identity::KeyDigest;

    [[nodiscard]] std::uint32_t by_mac(const store::Mac& mac) const noexcept;
    [[nodiscard]] const KeyClient* by_digest(const Digest& digest) const noexcept;
    const KeyClient* remember(std::span<const unsigned char> digest, const Entry& secret) const noexcept;

    identity::KeyMacMaker mac_of_;
    quota::ClientQuotas* quotas_ = nullptr;
    Keys keys_;
    std::vector<Entry> entries_;
    std::vector<store::Mac> macs_;      ///< by entry
    std::vector<std::uint32_t> slots_;  ///< by MAC: index + 1 of an entry; open addressing, at most half full
    mutable std::mutex remembering_;
    mutable std::pmr::vector<KeyClient> remembered_;  ///< by digest, likewise
    bool any_made_ = false;
};

}  // namespace spillway::gateway
