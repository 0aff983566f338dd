#pragma once
/// Draws by weight in constant time for any number of items: the alias method (Walker 1977, in Vose's form of
/// 1991). Each column holds its own index up to a threshold, and one other index above it.
///
/// Ownership: a value, built once. Thread rule: draws from any thread, each with its own Rng. Errors: none;
/// weights that are all 0 count as equal.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.hpp"

namespace spillway::routing {

class AliasTable {
public:
    AliasTable() = default;
    explicit AliasTable(std::span<const std::uint32_t> weights);

    /// A random index, by weight. Must not be empty.
    [[nodiscard]] std::size_t draw(Rng& rng) const noexcept {
        const std::uint64_t bits = rng();
        const auto at = static_cast<std::size_t>(((bits >> 32U) * columns_.size()) >> 32U);
        const Column& column = columns_[at];
        return (bits & 0xffffffffU) < column.threshold ? at : column.other;
    }
    [[nodiscard]] std::size_t size() const noexcept { return columns_.size(); }

private:
    struct Column {
        std::uint32_t threshold = 0xffffffffU;  ///< out of 2³²
        std::uint32_t other = 0;
    };
    std::vector<Column> columns_;
};

}  // namespace spillway::routing
