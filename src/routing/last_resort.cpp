#include "routing/last_resort.hpp"

#include <algorithm>
#include <array>

#include "routing/picker.hpp"

namespace spillway::routing {

unsigned badness(Reason reason) noexcept {
    switch (reason) {
        case Reason::server_error:
        case Reason::broken:
            return 0;
        case Reason::not_deployed:
        case Reason::not_supported:
            return 1;
        case Reason::unauthorized:
            return 2;
        default:
            return worst;
    }
}

/// Nobody is usable. If failures are the reason, the least bad is tried with the live request, by the kind of
/// failure. While somebody is only out of quota, or has too
/// much to do, that is so for those alone that strikes have ejected.
bool Picker::try_last_resort() {
    struct Ejected {
        Usable what;
        unsigned badness = 0;
    };
    boost::container::small_vector<Ejected, 8> ejected;
    bool better = false;
    for (BackendIndex i = 0; i < router_.backends.size(); ++i) {
        if (ask_.pinned && *ask_.pinned != i) continue;
        const Seen seen = look(i);
        better = better || seen.cause == Cause::quota || seen.cause == Cause::busy;
        if (seen.cause != Cause::failures || has_tried(i)) continue;
        // What it lacks it lacks: for the service's own answer, one is enough.
        if (!ask_.tried.empty() &&
            (seen.reason == Reason::not_deployed || seen.reason == Reason::not_supported))
            continue;
        ejected.push_back({seen.what, badness(seen.reason)});
        ejected.back().what.pass = Pass::last_resort;
    }
    while (!ejected.empty()) {
        unsigned least = worst;
        for (const Ejected& c : ejected) least = std::min(least, c.badness);
        if (better && least > 0) return false;
        const auto end = std::stable_partition(ejected.begin(), ejected.end(),
                                               [&](const Ejected& c) { return c.badness == least; });
        const auto at = ejected.begin() + static_cast<std::ptrdiff_t>(
                                              rng_.below(static_cast<std::uint64_t>(end - ejected.begin())));
        if (try_claim(at->what)) {
            choice_.avoided = avoided(choice_.lease.backend);
            return true;
        }
        ejected.erase(at);
    }
    return false;
}

/// Says why no backend was found: the cause that could end soonest comes first.
void Picker::explain() {
    std::array<std::uint32_t, 7> count{};
    for (BackendIndex i = 0; i < router_.backends.size(); ++i) {
        if (ask_.pinned && *ask_.pinned != i) continue;
        const Seen seen = look(i);
        ++count[static_cast<std::size_t>(seen.cause)];
        if (seen.reason != Reason::none) choice_.reasons |= 1U << static_cast<unsigned>(seen.reason);
        if (seen.cause == Cause::quota && !seen.available && seen.what.slot != nullptr) {
            const Reason reason = seen.what.slot->quota.look(now_, 0).reason;
            if (reason != Reason::none) choice_.reasons |= 1U << static_cast<unsigned>(reason);
        }
    }
    choice_.cause = Cause::failures;
    for (const Cause cause : {Cause::busy, Cause::quota, Cause::failures, Cause::too_large,
                              Cause::out_of_rotation, Cause::not_served}) {
        if (count[static_cast<std::size_t>(cause)] == 0) continue;
        choice_.cause = cause;
        return;
    }
    if (router_.backends.empty()) choice_.cause = Cause::not_served;
}

}  // namespace spillway::routing
