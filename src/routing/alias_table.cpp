#include "routing/alias_table.hpp"

#include <numeric>

namespace spillway::routing {

AliasTable::AliasTable(std::span<const std::uint32_t> weights) : columns_(weights.size()) {
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    // Shares in units of a column; those below one are filled up by those above.
    std::vector<double> share;
    std::vector<std::uint32_t> below;
    std::vector<std::uint32_t> above;
    for (std::uint32_t i = 0; i < columns_.size(); ++i) {
        share.push_back(total > 0 ? weights[i] / total * static_cast<double>(columns_.size()) : 1.0);
        columns_[i].other = i;
        (share[i] < 1 ? below : above).push_back(i);
    }
    while (!below.empty() && !above.empty()) {
        const std::uint32_t small = below.back();
        const std::uint32_t large = above.back();
        below.pop_back();
        columns_[small] = {static_cast<std::uint32_t>(share[small] * 0x1.0p32), large};
        share[large] -= 1 - share[small];
        if (share[large] >= 1) continue;
        above.pop_back();
        below.push_back(large);
    }
    // What is left over is full but for rounding: it holds itself alone.
}

}  // namespace spillway::routing
