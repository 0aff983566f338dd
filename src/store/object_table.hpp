#pragma once
/// What is known in memory of things that live on one resource: where each is, and whose. Bounded; entries
/// give way to newer ones.
///
/// Thread rule: any thread, no lock. An entry is two words, and the first is the id's hash combined with the
/// second (R. Hyatt, "A lockless transposition table"): a reader that meets half of another's writing finds
/// nothing. Errors: none; what was lost has to be looked up elsewhere.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace spillway::store {

/// A resource's number in an ObjectDirectory; 0: none.
using ResourceNumber = std::uint16_t;
/// An owner's names, hashed to 48 bits; 0: nobody that is known.
using OwnerHash = std::uint64_t;

struct ObjectPlace {
    ResourceNumber resource = 0;
    OwnerHash owner = 0;
    friend bool operator==(const ObjectPlace&, const ObjectPlace&) = default;
};

[[nodiscard]] OwnerHash hash_owner(std::string_view client, std::string_view team) noexcept;

class ObjectTable {
public:
    /// `entries`: rounded up to a power of two; 16 bytes each.
    explicit ObjectTable(std::size_t entries);

    [[nodiscard]] std::optional<ObjectPlace> find(std::string_view id) const noexcept;
    void put(std::string_view id, const ObjectPlace& place) noexcept;
    void erase(std::string_view id) noexcept;

private:
    struct Entry {
        std::atomic<std::uint64_t> mixed{0};  ///< hash ^ place
        std::atomic<std::uint64_t> place{0};  ///< resource in the upper 16 bits, owner in the others
    };
    /// Where an id may be.
    static constexpr std::size_t kWays = 4;
    [[nodiscard]] Entry* bucket(std::uint64_t hash) const noexcept;

    std::unique_ptr<Entry[]> entries_;
    std::size_t mask_;  ///< of buckets
};

}  // namespace spillway::store
