#include "routing/weighted_pick.hpp"

#include <algorithm>
#include <cmath>

namespace spillway::routing {
namespace {

/// Differences of headroom below this are noise: the first drawn keeps the request, and weights their
/// meaning.
constexpr double headroom_tie = 0.02;

/// By weight; `without` (an index, or one too many for none) is left out.
std::size_t draw(std::span<const Candidate> candidates, std::size_t without, Rng& rng) noexcept {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i)
        if (i != without) total += candidates[i].weight;
    std::uint64_t at = rng.below(total);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i == without) continue;
        if (at < candidates[i].weight) return i;
        at -= candidates[i].weight;
    }
    return without == 0 && candidates.size() > 1 ? 1 : 0;  // all weights are 0
}

double load(const Candidate& c) noexcept {
    return static_cast<double>(c.in_flight) / std::max(1.0, static_cast<double>(c.weight));
}

bool better(const Candidate& a, const Candidate& b) noexcept {
    if (std::abs(a.headroom - b.headroom) > headroom_tie) return a.headroom > b.headroom;
    // A slow or stuck backend collects requests: clearly fewer in flight is better.
    return load(a) * 2 + 2 < load(b);
}

}  // namespace

std::string_view to_string(Strategy strategy) noexcept {
    switch (strategy) {
        case Strategy::two_choices:
            return "two choices";
        case Strategy::most_headroom:
            return "most headroom";
        case Strategy::weighted_random:
            return "weighted random";
        case Strategy::best_fit:
            return "best fit";
    }
    return "";
}

std::size_t choose(Strategy strategy, std::span<const Candidate> candidates, Rng& rng) noexcept {
    const std::size_t first = draw(candidates, candidates.size(), rng);
    switch (strategy) {
        case Strategy::weighted_random:
            return first;
        case Strategy::two_choices: {
            if (candidates.size() == 1) return first;
            const std::size_t second = draw(candidates, first, rng);
            return better(candidates[second], candidates[first]) ? second : first;
        }
        case Strategy::most_headroom:
        case Strategy::best_fit:
            break;
    }
    std::size_t best = first;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const double gain = candidates[i].headroom - candidates[best].headroom;
        if (strategy == Strategy::most_headroom ? gain > 0 : gain < 0) best = i;
    }
    return best;
}

std::size_t choose_by_affinity(std::span<const Candidate> candidates, std::uint64_t affinity) noexcept {
    std::size_t best = 0;
    double best_score = -1;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        // Weighted rendezvous (Schindelhauer, Schomaker 2005): weight / -ln(u), the largest wins.
        Rng mix(affinity ^ candidates[i].hash);
        const double u = (static_cast<double>(mix() >> 11U) + 0.5) * 0x1.0p-53;
        const double score = static_cast<double>(candidates[i].weight) / -std::log(u);
        if (score > best_score) {
            best_score = score;
            best = i;
        }
    }
    return candidates[best].headroom < min_affinity_headroom ? candidates.size() : best;
}

}  // namespace spillway::routing
