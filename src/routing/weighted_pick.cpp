#include "routing/weighted_pick.hpp"

#include <algorithm>
#include <cmath>

namespace spillway::routing {
namespace {

/// Differences below this are noise: the first drawn keeps the request, and weights their meaning.
constexpr double tie = 0.02;
/// This much behind an even use of the window, quota is not scarce.
constexpr double comfortable = 0.2;
/// With this share of its quota left, a window that has just begun is no reason to be passed over.
constexpr double untouched = 0.9;

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

double pace(const Candidate& c) noexcept {
    return c.headroom - c.left;
}

/// Pace with time counted half as much again: of two that are equally far behind an even use, the one that
/// ends sooner is used first. More than that sends bursts into limits of requests (docs/routing.md).
double urgency(const Candidate& c) noexcept {
    return c.headroom - 1.5 * c.left;
}

/// Is `a` worth leaving the one that was drawn first?
bool better(Strategy strategy, const Candidate& a, const Candidate& first) noexcept {
    const bool by_pace = strategy == Strategy::pace;
    const bool plenty = by_pace && has_plenty(a) && has_plenty(first);
    const double gain = by_pace ? urgency(a) - urgency(first) : a.headroom - first.headroom;
    if (!plenty && std::abs(gain) > tie) return gain > 0;
    // A slow or stuck backend collects requests: clearly fewer in flight is better.
    return load(a) * 2 + 2 < load(first);
}

/// What `strategy`, one of those that look at all, calls good.
double merit(Strategy strategy, const Candidate& c) noexcept {
    if (strategy == Strategy::soonest_reset) return -c.left;
    return strategy == Strategy::best_fit ? -c.headroom : c.headroom;
}

/// The best of all; `first` if none is better.
std::size_t best_of(Strategy strategy, std::span<const Candidate> candidates, std::size_t first) noexcept {
    std::size_t best = first;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const bool wins = strategy == Strategy::pace
                              ? better(strategy, candidates[i], candidates[best])
                              : merit(strategy, candidates[i]) > merit(strategy, candidates[best]);
        if (i != best && wins) best = i;
    }
    return best;
}

}  // namespace

std::string_view to_string(Strategy strategy) noexcept {
    switch (strategy) {
        case Strategy::pace:
            return "pace";
        case Strategy::two_choices:
            return "two choices";
        case Strategy::most_headroom:
            return "most headroom";
        case Strategy::soonest_reset:
            return "soonest reset";
        case Strategy::best_fit:
            return "best fit";
        case Strategy::weighted_random:
            return "weighted random";
    }
    return "";
}

bool has_plenty(const Candidate& candidate) noexcept {
    return pace(candidate) > comfortable || candidate.headroom > untouched;
}

std::size_t choose(Strategy strategy, std::span<const Candidate> candidates, Rng& rng) noexcept {
    const std::size_t first = draw(candidates, candidates.size(), rng);
    if (candidates.size() == 1 || strategy == Strategy::weighted_random) return first;
    if (strategy == Strategy::two_choices) {
        const std::size_t second = draw(candidates, first, rng);
        return better(strategy, candidates[second], candidates[first]) ? second : first;
    }
    return best_of(strategy, candidates, first);
}

std::size_t choose_drawn(Strategy strategy, std::span<const Candidate> candidates) noexcept {
    if (candidates.size() == 1 || strategy == Strategy::weighted_random) return 0;
    if (strategy == Strategy::two_choices) return better(strategy, candidates[1], candidates[0]) ? 1 : 0;
    return best_of(strategy, candidates, 0);
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
