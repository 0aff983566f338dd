#pragma once
/// Fuses rankings of search results. Thread rule: pure functions, safe everywhere.
#include <cstdint>
#include <span>
#include <vector>

namespace spillway::chat {

/// The cosine of the angle between two vectors; 0 if they differ in size or one is zero.
[[nodiscard]] double cosine(std::span<const float> a, std::span<const float> b) noexcept;

struct Ranking {
    std::vector<std::int64_t> items;  ///< best first
    double weight = 1;
};
struct Ranked {
    std::int64_t item = 0;
    double score = 0;
};

/// Reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009): an item's score is the sum over the
/// rankings of weight / (60 + rank). Best first; equal scores by item.
[[nodiscard]] std::vector<Ranked> fuse(std::span<const Ranking> rankings);

}  // namespace spillway::chat
