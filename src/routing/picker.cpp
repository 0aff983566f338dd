#include "routing/picker.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "routing/last_resort.hpp"

namespace spillway::routing {
namespace {

using Standing = CircuitBreaker::Standing;

constexpr Duration rounding = std::chrono::milliseconds(100);
constexpr Duration shortest_wait = std::chrono::milliseconds(1);
/// Until somebody who has too much to do is asked again.
constexpr Duration busy_wait = std::chrono::seconds(1);
/// Rounds of draws before a large group is examined whole.
constexpr int rounds = 4;
/// What a subset key draws from while quota is plenty: how many, and for how long.
constexpr std::uint64_t subset_size = 8;
constexpr Duration subset_time = std::chrono::milliseconds(20);
constexpr double subset_headroom = 0.5;
/// Holders of a prefix that are asked one after the other.
constexpr std::uint64_t holders = 4;

bool wants_probe(Standing s) noexcept {
    return s == Standing::probe_ready || s == Standing::probe_overdue;
}
bool fit_for_subset(const Candidate& c) noexcept {
    return c.headroom >= subset_headroom && has_plenty(c);
}
bool over_ramp(Standing s) noexcept {
    return s == Standing::ramp_full || s == Standing::probe_overdue;
}
bool by_quota(Reason reason) noexcept {
    return reason == Reason::throttled || reason == Reason::no_quota;
}

/// The breakers that a request for `slot` has to pass; nullptr: that one does not concern it.
std::array<CircuitBreaker*, 4> breakers_of(BackendState& b, Slot& slot, OperationIndex operation) noexcept {
    return {&b.breaker, &slot.quota, &slot.failures,
            b.noted(operation) != nullptr ? &b.operations[operation] : nullptr};
}

}  // namespace

Picker::Picker(Router::Impl& router, const Ask& ask, Mono now, Rng& rng) noexcept
    : router_(router), ask_(ask), now_(now), rng_(rng) {}

bool Picker::has_tried(BackendIndex backend) const noexcept {
    return std::find(ask_.tried.begin(), ask_.tried.end(), backend) != ask_.tried.end();
}

Choice Picker::run() {
    if (ask_.pinned) {
        if (*ask_.pinned < router_.backends.size()) note(look(*ask_.pinned), true);
        group_ = router_.groups.size();
        if (try_group(0, usable_.size(), Pass::normal)) return choice_;
    }
    for (; group_ < router_.groups.size();) {
        const PriorityGroup& group = router_.groups[group_];
        if (group.large() && try_drawn(group)) return choice_;
        const std::size_t from = usable_.size();
        look_at_all(group);
        ++group_;
        if (try_group(from, usable_.size(), Pass::normal)) return choice_;
    }
    const auto rank = [&](std::size_t i) { return router_.backends[usable_[i].backend]->priority; };
    for (const Pass pass : {Pass::ramping, Pass::unsure})
        for (std::size_t from = 0, to = 0; from < usable_.size(); from = to) {
            while (to < usable_.size() && rank(to) == rank(from)) ++to;
            if (try_group(from, to, pass)) return choice_;
        }
    if (try_last_resort()) return choice_;
    choice_.avoided = avoided(no_backend);
    choice_.retry_in = std::max(soonest_, shortest_wait);
    explain();
    return choice_;
}

Picker::Seen Picker::look(BackendIndex index) {
    Seen seen;
    seen.what.backend = index;
    BackendState& b = *router_.backends[index];
    const Mode mode = b.mode.load(std::memory_order_relaxed);
    seen.cause = Cause::out_of_rotation;
    if (mode == Mode::off || (mode == Mode::draining && !ask_.pinned)) return seen;
    Slot* const slot = b.slot_for(ask_.deployment.index);
    seen.cause = Cause::not_served;
    if (slot == nullptr) return seen;
    Usable& what = seen.what;
    what.slot = slot;
    const std::uint32_t in_flight = slot->in_flight.load(std::memory_order_relaxed);
    const bool mirrored = router_.options.mirror && !slot->many;
    quota::Headroom headroom;
    if (mirrored) headroom = slot->mirror.headroom(ask_.tokens, now_);
    if (headroom.never) {
        seen.cause = Cause::too_large;
        return seen;
    }

    Duration wait{};
    const auto breakers = breakers_of(b, *slot, ask_.operation);
    seen.cause = Cause::none;
    for (std::size_t i = 0; i < breakers.size(); ++i) {
        if (breakers[i] == nullptr) continue;
        const auto look =
            breakers[i]->look(now_, i == 0 ? b.in_flight.load(std::memory_order_relaxed) : in_flight);
        if (over_ramp(look.standing)) what.pass = Pass::ramping;
        if (wants_probe(look.standing)) what.probes |= static_cast<std::uint8_t>(1U << i);
        if (!look.open()) continue;
        wait = std::max(wait, look.wait);
        if (by_quota(look.reason)) {
            seen.cause = Cause::quota;
        } else if (seen.cause != Cause::quota) {
            seen.cause = Cause::failures;
            if (badness(look.reason) >= badness(seen.reason) || seen.reason == Reason::none)
                seen.reason = look.reason;
        }
    }
    const std::uint32_t most = slot->most_in_flight.load(std::memory_order_relaxed);
    if (most != 0 && wait == Duration::zero() && router_.options.adapt &&
        !has_room(most, in_flight, ask_.held)) {
        slot->kept_away.store(now_.time_since_epoch().count(), std::memory_order_relaxed);
        seen.cause = Cause::busy;
        wait = busy_wait;
    }
    // The mirror knows of the same refusal, and rounds.
    const bool same = wait > Duration::zero() && headroom.wait > wait && headroom.wait - wait < rounding;
    // A limit that is only guessed must not make anyone wait.
    soonest_ = std::min(soonest_, same ? wait : std::max(wait, headroom.wait));
    if (wait > Duration::zero() || has_tried(index)) {
        if (seen.cause == Cause::none) seen.cause = Cause::failures;  // tried
        return seen;
    }
    if (slot->missing.lacks(ask_.operation, now_)) {
        seen.cause = Cause::failures;
        seen.reason = Reason::not_deployed;
        return seen;
    }
    seen.available = true;
    seen.full = !headroom.fits;
    if (seen.full) seen.cause = Cause::quota;
    if (seen.full && !(headroom.unsure && router_.options.trials)) return seen;
    seen.usable = true;
    if (seen.full) what.pass = Pass::unsure;
    what.candidate = {b.weight, in_flight, headroom.share, headroom.left, b.hash};
    return seen;
}

void Picker::note(const Seen& seen, bool first_available) {
    if (seen.available && first_available) available_.push_back({seen.what.backend, seen.full});
    if (seen.usable) usable_.push_back(seen.what);
}

void Picker::look_at_all(const PriorityGroup& group) {
    const bool first_available = available_.empty();
    for (const BackendIndex index : group.members) note(look(index), first_available);
}

/// Nothing is kept: key, time and place in the subset make the draw.
BackendIndex Picker::draw_from_subset(const PriorityGroup& group) {
    const auto period = static_cast<std::uint64_t>(now_.time_since_epoch() / subset_time);
    Rng place(ask_.subset_key + period * subset_size + rng_.below(subset_size));
    return group.draw(place);
}

/// Takes one of a large group without looking at all of it, if a few rounds of draws find one with headroom.
bool Picker::try_drawn(const PriorityGroup& group) {
    boost::container::small_vector<Seen, 16> known;
    BackendIndex holder = no_backend;
    // A round before the others, which decides only if none that is available lacks quota.
    const bool by_subset = ask_.subset_key != 0 && ask_.affinity == 0 && ask_.tried.empty();
    for (int round = by_subset ? -1 : 0; round < rounds; ++round) {
        Usables found;
        bool plenty = true;
        // What a round reports does not depend on what the round before found (see avoided()).
        const bool sample = available_.empty();
        for (std::uint32_t i = 0; i < router_.options.draws; ++i) {
            const BackendIndex index = round < 0 ? draw_from_subset(group) : group.draw(rng_);
            auto seen = std::find_if(known.begin(), known.end(),
                                     [&](const Seen& s) { return s.what.backend == index; });
            if (seen == known.end()) {
                known.push_back(look(index));
                seen = known.end() - 1;
                if (seen->usable && seen->what.pass == Pass::normal) found.push_back(seen->what);
            }
            if (sample && seen->available) available_.push_back({index, seen->full});
            plenty = plenty && (!seen->available || (seen->usable && fit_for_subset(seen->what.candidate)));
        }
        available_drawn_ = available_drawn_ || (sample && !available_.empty());
        if (round < 0 && !plenty) {
            known.clear();  // seen, but not found
            continue;
        }
        if (round == 0 && ask_.affinity != 0) {
            const Usable held = find_holder(group);
            holder = held.backend;
            const bool there =
                std::any_of(found.begin(), found.end(), [&](const Usable& o) { return o.backend == holder; });
            if (holder != no_backend && !there) found.push_back(held);
        }
        if (try_best(found, holder, Extent::drawn)) return true;
    }
    return false;
}

/// Nobody, if the one that holds the prefix and can serve has little quota left.
Picker::Usable Picker::find_holder(const PriorityGroup& group) {
    for (std::uint64_t next = 0; next < holders; ++next) {
        const Seen seen = look(group.holder(ask_.affinity, next));
        if (!seen.usable || seen.what.pass != Pass::normal) continue;
        if (seen.what.candidate.headroom >= min_affinity_headroom) return seen.what;
        break;
    }
    return {};
}

bool Picker::try_group(std::size_t from, std::size_t to, Pass pass) {
    Usables group;
    for (std::size_t i = from; i < to; ++i)
        if (usable_[i].pass == pass) group.push_back(usable_[i]);
    return try_best(group, no_backend, Extent::all);
}

/// Claims one of `group`: the best first, the next if another thread was faster.
bool Picker::try_best(Usables& group, BackendIndex holder, Extent extent) {
    while (!group.empty()) {
        bool affinity = false;
        // A probe goes first, but not with a request that has failed already while others can serve it.
        auto probe = std::find_if(group.begin(), group.end(), [](const Usable& o) { return o.probes != 0; });
        auto end = group.end();
        if (probe != end && !ask_.tried.empty() && group.size() > 1) {
            const auto others = std::stable_partition(group.begin(), group.end(),
                                                      [](const Usable& o) { return o.probes == 0; });
            if (others == group.begin()) {
                probe = others;
            } else {
                probe = end = others;
            }
        }
        std::size_t at = static_cast<std::size_t>(probe - group.begin());
        if (probe == end) {
            boost::container::small_vector<Candidate, 8> candidates;
            for (auto it = group.begin(); it != end; ++it) candidates.push_back(it->candidate);
            at = candidates.size();
            if (ask_.affinity != 0) {
                at = extent == Extent::all
                         ? choose_by_affinity(candidates, ask_.affinity)
                         : static_cast<std::size_t>(
                               std::find_if(group.begin(), end,
                                            [&](const Usable& o) { return o.backend == holder; }) -
                               group.begin());
                affinity = at < candidates.size();
            }
            if (!affinity)
                at = extent == Extent::all ? choose(router_.options.strategy, candidates, rng_)
                                           : choose_drawn(router_.options.strategy, candidates);
        }
        if (try_claim(group[at])) {
            choice_.avoided = avoided(choice_.lease.backend);
            return true;
        }
        group.erase(group.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return false;
}

/// Makes `option` the request's, unless another thread was faster.
bool Picker::try_claim(const Usable& option) {
    BackendState& b = *router_.backends[option.backend];
    Slot& slot = *option.slot;
    Lease& lease = choice_.lease;
    const auto breakers = breakers_of(b, slot, ask_.operation);
    const auto release = [&](unsigned probes) {
        for (std::size_t i = 0; i < breakers.size(); ++i)
            if ((probes >> i & 1U) != 0) breakers[i]->release_probe(now_);
    };
    unsigned claimed = 0;
    for (std::size_t i = 0; i < breakers.size(); ++i) {
        if ((option.probes >> i & 1U) == 0 || option.pass == Pass::last_resort) continue;
        if (breakers[i] == nullptr || !breakers[i]->try_probe(now_)) {
            release(claimed);
            return false;
        }
        claimed |= 1U << i;
    }
    if (router_.options.mirror && !slot.many) {
        const auto reserved = option.pass == Pass::unsure ? slot.mirror.reserve_trial(ask_.tokens, now_)
                                                          : slot.mirror.reserve(ask_.tokens, now_);
        if (!reserved) {
            release(claimed);
            return false;
        }
        lease.quota = *reserved;
    }
    b.in_flight.fetch_add(1, std::memory_order_relaxed);
    lease.in_flight = slot.in_flight.fetch_add(1, std::memory_order_relaxed) + 1;
    lease.client = ask_.client;
    if (!slot.asked.load(std::memory_order_relaxed)) slot.asked.store(true, std::memory_order_relaxed);
    lease.backend = option.backend;
    lease.deployment = ask_.deployment;
    lease.slot = &slot;
    lease.operation = ask_.operation;
    lease.reserved = ask_.tokens;
    lease.fingerprint = ask_.fingerprint;
    lease.at = now_;
    lease.probe = claimed != 0;
    lease.last_resort = option.pass == Pass::last_resort;
    lease.spilled = !ask_.pinned && (!ask_.tried.empty() || router_.passes_over(b.priority));
    return true;
}

/// What a first attempt by priority and weight would have met with: among the first priority that is
/// available, the weight of those that are full and were not chosen.
///
/// Of a large group: their share of one round's draws. Each draw is by weight, so each that is available is
/// full with the probability looked for, and the mean has no bias, since the number of draws in a round is
/// fixed: a round without any that is available tells nothing, and the next one, or all, take its place.
double Picker::avoided(BackendIndex chosen) {
    const auto counts = [&](const Available& o) { return o.full && o.backend != chosen; };
    if (!ask_.tried.empty() || std::none_of(available_.begin(), available_.end(), counts)) return 0;
    const auto weight = [&](const Available& o) -> double {
        return available_drawn_ ? 1 : router_.backends[o.backend]->weight;
    };
    double all = 0;
    for (const Available& o : available_) all += weight(o);
    double out = 0;
    for (const Available& o : available_) {
        if (!counts(o)) continue;
        const double share = weight(o) / all;
        router_.backends[o.backend]->avoided.fetch_add(static_cast<std::uint64_t>(std::llround(share * 1e6)),
                                                       std::memory_order_relaxed);
        out += share;
    }
    return out;
}

}  // namespace spillway::routing
