#pragma once
/// The backends of one priority. Small groups are examined whole for each request; of large ones a few are
/// drawn, so that a request costs the same for any number of backends.
///
/// Ownership: built once from the configuration. Thread rule: reading from any thread; `on` is atomic.
/// Errors: none.
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/rng.hpp"
#include "routing/alias_table.hpp"
#include "routing/backend_index.hpp"
#include "routing/prefix_table.hpp"

namespace spillway::routing {

struct PriorityGroup {
    std::uint32_t priority = 1;
    std::vector<BackendIndex> members;  ///< in the configuration's order
    std::atomic<std::uint32_t> on{0};   ///< members in rotation (Mode::on)
    /// For large groups only.
    AliasTable weights;
    PrefixTable prefixes;

    [[nodiscard]] bool large() const noexcept { return weights.size() != 0; }
    [[nodiscard]] BackendIndex draw(Rng& rng) const noexcept { return members[weights.draw(rng)]; }
    [[nodiscard]] BackendIndex holder(std::uint64_t affinity, std::uint64_t next) const noexcept {
        return members[prefixes.holder(affinity, next)];
    }
};

}  // namespace spillway::routing
