#pragma once
/// Which of several equal backends: a pure function of what is known of each.
///
/// The router uses `pace` (docs/routing.md has the comparison): one candidate is drawn by weight, and keeps
/// the request unless another is clearly farther behind an even use of its quota window: what expires soonest
/// is used first. Near ties, and candidates that both have plenty, go to the one drawn, so that weights keep
/// their meaning until quota gets scarce.
///
/// Thread rule: free functions. Errors: none.
#include <cstdint>
#include <span>
#include <string_view>

#include "base/rng.hpp"

namespace spillway::routing {

enum class Strategy : std::uint8_t {
    pace,             ///< by share of quota left − share of time left, one drawn by weight the first
    two_choices,      ///< the better of two drawn by weight, by share of quota left
    most_headroom,    ///< the largest share of quota left
    soonest_reset,    ///< the window that ends first
    best_fit,         ///< the least share of quota left that is enough
    weighted_random,  ///< by weight alone
};
[[nodiscard]] std::string_view to_string(Strategy strategy) noexcept;

struct Candidate {
    std::uint32_t weight = 1;
    std::uint32_t in_flight = 0;
    /// Share of the quota that would be left after this request, 0…1; 1 if no quota is known.
    double headroom = 1;
    double left = 0.5;       ///< share of the quota's window that is left for sure, 0…1; 0.5: not a window
    std::uint64_t hash = 0;  ///< of the backend's name, for affinity
};

/// Has it so much left that there is no reason to go elsewhere?
[[nodiscard]] bool has_plenty(const Candidate& candidate) noexcept;

/// Index into `candidates`, which must not be empty.
[[nodiscard]] std::size_t choose(Strategy strategy, std::span<const Candidate> candidates, Rng& rng) noexcept;

/// As choose(), of candidates that were drawn by weight, one after the other: the first of them keeps the
/// request unless another is better.
[[nodiscard]] std::size_t choose_drawn(Strategy strategy, std::span<const Candidate> candidates) noexcept;

/// The candidate that holds `affinity` (weighted rendezvous hashing: when one leaves, only its share moves);
/// candidates.size() if that one has less than min_affinity_headroom left.
inline constexpr double min_affinity_headroom = 0.1;
[[nodiscard]] std::size_t choose_by_affinity(std::span<const Candidate> candidates,
                                             std::uint64_t affinity) noexcept;

}  // namespace spillway::routing
