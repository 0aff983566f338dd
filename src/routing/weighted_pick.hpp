#pragma once
/// Which of several equal backends: a pure function of what is known of each.
///
/// Chosen (docs/routing.md has the comparison): two different candidates are drawn by weight, and the
/// one with more headroom gets the request; near ties go to the first drawn. So shares follow the weights
/// while all have room, and shift towards those with more room before one is full.
///
/// Thread rule: free functions. Errors: none.
#include <cstdint>
#include <span>
#include <string_view>

#include "base/rng.hpp"

namespace spillway::routing {

enum class Strategy : std::uint8_t {
    two_choices,      ///< the better of two drawn by weight
    most_headroom,    ///< the one with the largest share of its quota left
    weighted_random,  ///< by weight alone
    best_fit,         ///< the one with the least room that is enough
};
[[nodiscard]] std::string_view to_string(Strategy strategy) noexcept;

struct Candidate {
    std::uint32_t weight = 1;
    std::uint32_t in_flight = 0;
    /// Share of the quota that would be left after this request, 0…1; 1 if no quota is known.
    double headroom = 1;
    double left = 0.5;       ///< share of the quota's window that is left, 0…1; 0.5 if that is not known
    std::uint64_t hash = 0;  ///< of the backend's name, for affinity
};

/// Index into `candidates`, which must not be empty.
[[nodiscard]] std::size_t choose(Strategy strategy, std::span<const Candidate> candidates, Rng& rng) noexcept;

/// The candidate that holds `affinity` (weighted rendezvous hashing: when one leaves, only its share moves);
/// candidates.size() if that one has less than min_affinity_headroom left.
inline constexpr double min_affinity_headroom = 0.1;
[[nodiscard]] std::size_t choose_by_affinity(std::span<const Candidate> candidates,
                                             std::uint64_t affinity) noexcept;

}  // namespace spillway::routing
