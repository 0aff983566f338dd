#pragma once
/// One Router::pick(): examines backends, chooses among those that can serve, and reserves a place at one.
///
/// The groups of equal priority are searched in order until one has a backend with room. A small group is
/// examined whole. Of a large one a few are drawn by weight, and the first of them keeps the request unless
/// another is clearly better, as in a small group; only if a few such rounds find none is the whole group
/// examined. While quota is plentiful, requests with the same Ask::subset_key draw from a subset of eight,
/// itself drawn by weight and replaced every 20 ms: under thousands of requests a second, their connections
/// and counters are in the cache instead of those of hundreds of backends; with fewer requests, each has a
/// subset of its own. Ramping backends, overdue probes and unsure mirrors come after all groups.
///
/// Ownership: borrows its arguments for the length of one call. Thread rule: one thread; all that it reads
/// and changes is atomic. Errors: none.
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
    /// The order of candidates: all priorities are searched for one kind before the next.
    enum class Pass : std::uint8_t {
        normal,       ///< closed breakers and room, or ready for its probe
        ramping,      ///< its ramp is full, or its probe overdue: better than refusing
        unsure,       ///< the mirror sees no room but may be wrong
        last_resort,  ///< it has failed, and there is no other
    };
    struct Usable {
        BackendIndex backend = no_backend;
        Pass pass = Pass::normal;
        Slot* slot = nullptr;
        std::uint8_t probes = 0;  ///< breakers to be probed, one bit each (picker.cpp)
        Candidate candidate;
    };
    using Usables = boost::container::small_vector<Usable, 8>;
    /// A backend that would serve, as far as its mirror does not object.
    struct Available {
        BackendIndex backend = no_backend;
        bool full = false;
    };
    /// What was found about one backend.
    struct Seen {
        bool available = false;
        bool usable = false;
        bool full = false;
        /// Why not, if it is not available.
        Cause cause = Cause::none;
        Reason reason = Reason::none;  ///< of Cause::failures
        Usable what;
    };
    /// How much of the group Usables were taken from.
    enum class Extent : std::uint8_t { all, drawn };

    [[nodiscard]] Seen look(BackendIndex index);
    void note(const Seen& seen, bool first_available);
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
    Usables usable_;  ///< from the groups examined whole, by priority
    /// From the first priority that has any: all of a group examined whole, or one round of draws, each as
    /// often as it was drawn.
    boost::container::small_vector<Available, 8> available_;
    bool available_drawn_ = false;
    std::size_t group_ = 0;             ///< the next one to examine whole
    Duration soonest_ = api::max_wait;  ///< when an unusable one may serve again
};

}  // namespace spillway::routing
