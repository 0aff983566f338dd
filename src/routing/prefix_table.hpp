#pragma once
/// Which backend of a large group holds a prompt's prefix, in constant time: a lookup table filled as in
/// "Maglev: A Fast and Reliable Software Network Load Balancer" (Eisenbud et al., NSDI 2016, section 3.4).
/// Each backend has its own order of all entries, by its name; they take turns, by weight, to claim the next
/// free one of their order. When a backend comes or goes, few others' entries change hands beside its share.
///
/// Weighted rendezvous hashing, which small groups use, moves exactly that share, but looks at all of them;
/// a ring of points looks at log₂ of a hundred times as many. The table has 65,537 entries, as in the paper,
/// ten times as many above 1,000 backends: shares are within some percent of the weights.
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
        std::uint64_t hash = 0;  ///< of its name: where it is in the configuration does not matter
        std::uint32_t weight = 1;
    };

    PrefixTable() = default;
    explicit PrefixTable(std::span<const Member> members);

    /// Index of the member that holds `affinity`; `next` 1, 2, …: who holds it while that one cannot, spread
    /// over all. There must be a member.
    [[nodiscard]] std::size_t holder(std::uint64_t affinity, std::uint64_t next) const noexcept;

private:
    std::vector<std::uint32_t> entries_;
};

}  // namespace spillway::routing
