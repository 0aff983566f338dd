#pragma once
/// What follows from an attempt's end for breakers, counts and what is learned: Router::ended() and began().
///
/// A request whose failure may be its own doing (all but a backend that cannot be reached) and that fails the
/// same way at a second backend becomes a suspect: what it did is undone, and done again only if it is served
/// by a third after all.
///
/// Ownership: borrows all it is given, for the length of one call. Thread rule: as Router. Errors: none.
#include "routing/attempt_history.hpp"
#include "routing/router_impl.hpp"

namespace spillway::routing {

class Consequences {
public:
    Consequences(Router::Impl& router, const Lease& lease, Mono now) noexcept;

    void began();
    void ended(const Outcome& outcome, AttemptHistory* history);

private:
    void follow(const Outcome& outcome, AttemptHistory* history);
    void count(const Outcome& outcome, const Verdict& verdict);
    /// It answered: a sign of life, whatever it said.
    void answered();
    void served();
    void rest(const Outcome& outcome, const Verdict& verdict);
    void fault(const Outcome& outcome, const Verdict& verdict, AttemptHistory* history);
    [[nodiscard]] AttemptHistory::Failure apply(const Outcome& outcome, const Verdict& verdict);
    void undo(const AttemptHistory::Failure& failure);
    /// `fingerprint` 0: whoever sent it, it counts.
    void strike(AttemptHistory::Failure& failure, std::uint64_t fingerprint, Duration least,
                const std::string& detail);
    void release_probes();
    void changed(const Lease& lease, bool closed, Reason reason, Scope scope, Duration out,
                 const std::string& detail);

    Router::Impl& router_;
    const Lease& lease_;
    const Mono now_;
    BackendState& backend_;
    Slot& slot_;
};

}  // namespace spillway::routing
