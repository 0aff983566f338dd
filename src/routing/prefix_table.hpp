#pragma once
/// Which backend of a large group holds a prompt's prefix, in constant time: a lookup table filled as in
/// "Maglev: A Fast and Reliable Software Network Load Balancer" (Eisenbud et al., NSDI 2016, section 3.4).
/// Each backend's name gives an order of all entries; the backends take turns, by weight, to fill the next
/// free entry in their own order. When one comes or goes, few entries change beyond its own share.
///
/// Weighted rendezvous hashing, which small groups use, moves exactly that share, but examines all backends;
/// a hash ring examines log₂ of a hundred times as many. The table has 65,537 entries, as in the paper, and
/// ten times as many above 1,000 backends: shares are within a few percent of the weights.
///
/// Ownership: a value, built once. Thread rule: lookups from any thread. Errors: none.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace spillway::routing {

class PrefixTable {
public:
    struct Member {
        std::uint64_t hash = 0;  ///< of its name: its place in the configuration is irrelevant
        std::uint32_t weight = 1;
    };

    PrefixTable() = default;
    explicit PrefixTable(std::span<const Member> members);

    /// Index of the member responsible for `affinity`; with `next` 1, 2, …, its substitutes, spread over all
    /// members. Must not be empty.
    [[nodiscard]] std::size_t holder(std::uint64_t affinity, std::uint64_t next) const noexcept;

private:
    std::vector<std::uint32_t> entries_;
};

}  // namespace spillway::routing
