#include "routing/prefix_table.hpp"

#include <algorithm>
#include <queue>

#include "base/rng.hpp"

namespace spillway::routing {
namespace {

// Primes, so that every step leads through all entries.
constexpr std::size_t entries = 65'537;
constexpr std::size_t many_entries = 655'373;
constexpr std::size_t many_members = 1000;
constexpr std::uint32_t nobody = 0xffffffffU;

/// Where a member is in its order of the entries, and when its next turn is.
struct Claimant {
    double turn = 0;
    std::uint64_t hash = 0;
    double pause = 1;  ///< between turns: 1 ÷ weight
    std::size_t at = 0;
    std::size_t step = 1;
    std::uint32_t index = 0;
};
struct Later {
    bool operator()(const Claimant& a, const Claimant& b) const noexcept {
        return a.turn != b.turn ? a.turn > b.turn : a.hash > b.hash;
    }
};

}  // namespace

PrefixTable::PrefixTable(std::span<const Member> members)
    : entries_(members.size() > many_members ? many_entries : entries, nobody) {
    std::priority_queue<Claimant, std::vector<Claimant>, Later> turns;
    for (std::uint32_t i = 0; i < members.size(); ++i) {
        Rng mix(members[i].hash);
        Claimant c;
        c.hash = members[i].hash;
        c.pause = 1 / std::max(1.0, static_cast<double>(members[i].weight));
        c.turn = c.pause;
        c.at = mix.below(entries_.size());
        c.step = 1 + mix.below(entries_.size() - 1);
        c.index = i;
        turns.push(c);
    }
    for (std::size_t taken = 0; taken < entries_.size() && !turns.empty(); ++taken) {
        Claimant c = turns.top();
        turns.pop();
        while (entries_[c.at] != nobody) c.at = (c.at + c.step) % entries_.size();
        entries_[c.at] = c.index;
        c.turn += c.pause;
        turns.push(c);
    }
}

std::size_t PrefixTable::holder(std::uint64_t affinity, std::uint64_t next) const noexcept {
    Rng mix(affinity + next * 0xd1342543de82ef95ULL);
    return entries_[mix.below(entries_.size())];
}

}  // namespace spillway::routing
