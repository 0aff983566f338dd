#pragma once
/// Chooses among backends of equal priority: a pure function of what is known about each.
///
/// The router uses `pace` (docs/routing.md has the comparison): one candidate is drawn by weight, and keeps
/// the request unless another is clearly further behind an even use of its quota window: quota that expires
/// soonest is used first. Near ties, and cases where both have plenty, go to the one drawn, so that weights
/// keep their meaning until quota becomes scarce.
///
/// Thread rule: free functions. Errors: none.
#include <cstdint>
#include <span>
#include <string_view>

#include "base/rng.hpp"

namespace spillway::routing {

enum class Strategy : std::uint8_t {
    pace,             ///< by share of quota left − share of time left, starting from one drawn by weight
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
    /// Share of the quota that would be left after this request, 0 to 1; 1 if no quota is known.
    double headroom = 1;
    double left = 0.5;       ///< share of the window that is certainly left, 0 to 1; 0.5: not a window
    std::uint64_t hash = 0;  ///< of the backend's name, for affinity
};

/// Whether so much is left that there is no reason to go elsewhere.
[[nodiscard]] bool has_plenty(const Candidate& candidate) noexcept;

/// Index into `candidates`, which must not be empty.
[[nodiscard]] std::size_t choose(Strategy strategy, std::span<const Candidate> candidates, Rng& rng) noexcept;

/// Like choose(), for candidates drawn by weight, one after the other: the first keeps the request unless
/// another is better.
[[nodiscard]] std::size_t choose_drawn(Strategy strategy, std::span<const Candidate> candidates) noexcept;

/// The candidate responsible for `affinity` (weighted rendezvous hashing: when one leaves, only its share
/// moves); candidates.size() if it has less than min_affinity_headroom left.
inline constexpr double min_affinity_headroom = 0.1;
[[nodiscard]] std::size_t choose_by_affinity(std::span<const Candidate> candidates,
                                             std::uint64_t affinity) noexcept;

}  // namespace spillway::routing
