#pragma once
/// Applies an attempt's end to breakers, counts and what is learned: Router::ended() and began().
///
/// A request that fails the same way at a second backend becomes a suspect, if the failure may be its own
/// fault (all but a backend that cannot be reached): its effects are undone, and applied again only if a
/// third backend serves it after all.
///
/// Ownership: borrows its arguments for the length of one call. Thread rule: as Router. Errors: none.
#include "routing/attempt_history.hpp"
#include "routing/router_impl.hpp"

namespace spillway::routing {

class Consequences {
public:
    Consequences(Router::Impl& router, const Lease& lease, Mono now) noexcept;

    void began();
    void ended(const Outcome& outcome, AttemptHistory* history);
    void first_token(std::uint64_t prompt, Duration took);

private:
    void follow(const Outcome& outcome, AttemptHistory* history);
    void count(const Outcome& outcome, const Verdict& verdict);
    /// It answered, which shows that it is alive, whatever the answer.
    void answered();
    void served();
    void rest(const Outcome& outcome, const Verdict& verdict);
    void fault(const Outcome& outcome, const Verdict& verdict, AttemptHistory* history);
    [[nodiscard]] AttemptHistory::Failure apply(const Outcome& outcome, const Verdict& verdict);
    void undo(const AttemptHistory::Failure& failure);
    /// With `fingerprint` 0 it always counts.
    void strike(AttemptHistory::Failure& failure, std::uint64_t fingerprint, Duration least,
                const std::string& detail);
    void release_probes();
    /// What the end says about how many requests the deployment sustains.
    void adapt(const Outcome& outcome, const Verdict& verdict);
    void tell(ConcurrencyLimit::Change change, const char* sign);
    [[nodiscard]] ConcurrencyLimit::Seen seen() const noexcept;
    void changed(const Lease& lease, bool ejected, Reason reason, Scope scope, Duration out,
                 const std::string& detail);

    Router::Impl& router_;
    const Lease& lease_;
    const Mono now_;
    BackendState& backend_;
    Slot& slot_;
};

}  // namespace spillway::routing
