#pragma once
/// One Router::pick: looks at backends, chooses among those that can serve, claims one.
///
/// Groups of a priority are looked at one after the other until one of them has a backend with room. A small
/// group is looked at whole. Of a large one a few are drawn by weight, and the first of them keeps the
/// request unless another is clearly better, as in a small group; only when a few such rounds found nobody it
/// is looked at whole as well. As long as quota is plenty, an asker draws from a hand of eight, itself
/// drawn by weight and replaced every 20 ms: where thousands of requests come in a second, they find
/// connections and counters in the cache instead of those of hundreds; where fewer come, each has a hand of
/// its own. Backends in their ramp-up, overdue probes and unsure mirrors come after all groups.
///
/// Ownership: borrows all it is given, for the length of one call. Thread rule: one thread; what it reads and
/// claims is atomics. Errors: none.
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>

#include "routing/router_impl.hpp"
#include "routing/weighted_pick.hpp"

namespace spillway::routing {

class Picker {
public:
    Picker(Router::Impl& router, const Ask& ask, Mono now, Rng& rng) noexcept;
    [[nodiscard]] Choice run();

private:
    /// In which order candidates are taken: all priorities are searched for the first kind before the next.
    enum class Pass : std::uint8_t {
        normal,       ///< open and with room, or ready for its probe
        ramping,      ///< over its ramp, or its probe is overdue: better than to refuse
        unsure,       ///< the mirror sees no room but may be wrong
        last_resort,  ///< it failed, and nobody else is there
    };
    struct Usable {
        BackendIndex backend = no_backend;
        Pass pass = Pass::normal;
        Slot* slot = nullptr;
        std::uint8_t probes = 0;  ///< which of its breakers want one, a bit each (picker.cpp)
        Candidate candidate;
    };
    using Usables = boost::container::small_vector<Usable, 8>;
    /// One that is not known to refuse, but for what its mirror says.
    struct Open {
        BackendIndex backend = no_backend;
        bool full = false;
    };
    /// What one backend is good for.
    struct Seen {
        bool open = false;
        bool usable = false;
        bool full = false;
        /// Why not, if it is not open.
        Cause cause = Cause::none;
        Reason reason = Reason::none;  ///< of Cause::failures
        Usable what;
    };
    /// How many were looked at of those that Usables hold.
    enum class Extent : std::uint8_t { all, drawn };

    [[nodiscard]] Seen look(BackendIndex index);
    void note(const Seen& seen, bool first_open);
    void look_at_all(const PriorityGroup& group);
    [[nodiscard]] bool try_drawn(const PriorityGroup& group);
    [[nodiscard]] BackendIndex draw_from_subset(const PriorityGroup& group);
    [[nodiscard]] Usable find_holder(const PriorityGroup& group);
    [[nodiscard]] bool try_group(std::size_t from, std::size_t to, Pass pass);
    [[nodiscard]] bool try_best(Usables& group, BackendIndex holder, Extent extent);
    [[nodiscard]] bool try_claim(const Usable& option);
    [[nodiscard]] bool try_last_resort();
    void explain();
    [[nodiscard]] bool has_tried(BackendIndex backend) const noexcept;
    [[nodiscard]] double avoided(BackendIndex chosen);

    Router::Impl& router_;
    const Ask& ask_;
    const Mono now_;
    Rng& rng_;
    Choice choice_;
    Usables usable_;  ///< of the groups looked at whole, in order of priority
    /// Of the first priority that has any: all of a group looked at whole, or those of one round of draws, as
    /// often as they were drawn.
    boost::container::small_vector<Open, 8> open_;
    bool open_drawn_ = false;
    std::size_t group_ = 0;             ///< the next one not looked at whole
    Duration soonest_ = api::max_wait;  ///< when one that is not usable could serve
};

}  // namespace spillway::routing
