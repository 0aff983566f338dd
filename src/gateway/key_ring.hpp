#pragma once
/// The keys that were made at run time, as requests look them up: who shows one, and what it may.
///
/// Beside the configured clients' table (clients.hpp), which it leaves as it is. Built whole, off the
/// workers' threads, when a key changes, and swapped whole; what did not change is shared with the one
/// before. A key's end is looked at when it is shown, so nothing has to happen then.
///
/// Ownership: points into the ClientQuotas, which must outlive it; a request holds the one that it found its
/// client in. Thread rule: immutable; safe from any thread. Errors: none.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "gateway/clients.hpp"
#include "identity/key_token.hpp"
#include "store/key_store.hpp"

namespace spillway::gateway {

/// A key, as a client.
struct KeyClient : Client {
    std::string id;
    ClientRules own_rules;
    quota::SubjectRef held_account;
    quota::SubjectRef limits;  ///< the key's own; null: it has none
    std::uint32_t number = 0;  ///< of its client, for metrics: beyond all indices of configured ones
    std::optional<Wall> expires;
};

/// One secret of a key.
struct KeyEntry {
    store::Mac mac{};
    std::shared_ptr<const KeyClient> client;
    std::optional<Wall> ends;  ///< the secret's own end, or the key's if that is sooner
};

class KeyRing {
public:
    KeyRing() = default;
    KeyRing(const store::Mac& secret, std::vector<KeyEntry> entries, bool any_made);

    /// Null: nobody's, or its time is over.
    [[nodiscard]] const KeyClient* find(std::string_view key, Wall now) const;
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    /// Whether a key was ever made: then nobody is served without one, unless that is allowed.
    [[nodiscard]] bool any_made() const noexcept { return any_made_; }

private:
    [[nodiscard]] std::size_t first_slot(const store::Mac& mac) const noexcept;

    store::Mac secret_{};
    std::vector<KeyEntry> entries_;
    std::vector<std::uint32_t> slots_;  ///< index + 1 of an entry; open addressing, at most half full
    bool any_made_ = false;
};

}  // namespace spillway::gateway
