#include "routing/consequences.hpp"

#include <algorithm>

#include "routing/settle.hpp"

namespace spillway::routing {
namespace {

/// A refusal that says to wait for nothing: enough not to spin on it.
constexpr Duration no_wait_told = std::chrono::milliseconds(100);
constexpr Duration shortest_wait = std::chrono::milliseconds(1);
/// Paid-up quotas do not come back by the minute.
constexpr Duration long_rest = std::chrono::minutes(5);
/// Ejections for failures, whatever is asked for.
constexpr Duration longest_ejection = std::chrono::seconds(30);
/// So many operations that are refused are the backend's credential as a whole.
constexpr int several = 2;

/// Could what the request says be the reason?
bool may_be_the_requests(const Verdict& verdict) noexcept {
    return verdict.whose == Whose::deployment || verdict.whose == Whose::credential ||
           verdict.whose == Whose::pair;
}

}  // namespace

Duration Router::Impl::cool_down(const Outcome& outcome, Reason reason) const noexcept {
    if (reason == Reason::no_quota && !outcome.retry_after) return long_rest;
    Duration wait = outcome.retry_after.value_or(retry.default_cool_down);
    if (wait <= Duration::zero()) wait = no_wait_told;
    return std::clamp(wait, shortest_wait, std::max(retry.max_cool_down, shortest_wait));
}

bool Router::Impl::has_another(const Lease& lease, Mono now) const noexcept {
    const auto passes = [&](const CircuitBreaker* breaker) {
        return breaker == nullptr || !breaker->look(now, 0).open();
    };
    for (BackendIndex i = 0; i < backends.size(); ++i) {
        const BackendState& b = *backends[i];
        if (i == lease.backend || !b.on()) continue;
        const Slot* const slot = b.slot_for(lease.deployment.index);
        if (slot == nullptr || slot->missing.lacks(lease.operation, now)) continue;
        if (passes(&b.breaker) && passes(&slot->quota) && passes(&slot->failures) &&
            passes(b.noted(lease.operation)))
            return true;
    }
    return false;
}

Consequences::Consequences(Router::Impl& router, const Lease& lease, Mono now) noexcept
    : router_(router),
      lease_(lease),
      now_(now),
      backend_(*router.backends[lease.backend]),
      slot_(*lease.slot) {}

void Consequences::began() {
    router_.table.prove(lease_.deployment.index);
    served();
}

void Consequences::ended(const Outcome& outcome, AttemptHistory* history) {
    follow(outcome, history);
    adapt(outcome, outcome.judged());
    backend_.in_flight.fetch_sub(1, std::memory_order_relaxed);
    slot_.in_flight.fetch_sub(1, std::memory_order_relaxed);  // from here on it may get another name
}

void Consequences::follow(const Outcome& outcome, AttemptHistory* history) {
    const Verdict verdict = outcome.judged();
    settle(slot_.mirror, lease_, outcome, verdict);
    count(outcome, verdict);
    switch (verdict.whose) {
        case Whose::nobody:
            if (verdict.reason != Reason::none) return release_probes();
            served();
            router_.suspects.clear(lease_.fingerprint, now_);
            if (history == nullptr) return;
            // Others serve it: what failed before was not the request's doing.
            for (AttemptHistory::Failure f : history->failures())
                if (f.verdict.consequence == Consequence::strike && (history->suspect() || !f.counted))
                    strike(f, 0, Duration::zero(), {});
            history->clear();
            return;
        case Whose::client:
            return served();
        case Whose::request:
            answered();
            return release_probes();
        case Whose::quota:
            return rest(outcome, verdict);
        case Whose::pair:
        case Whose::credential:
        case Whose::deployment:
        case Whose::backend:
            return fault(outcome, verdict, history);
    }
}

void Consequences::count(const Outcome& outcome, const Verdict& verdict) {
    switch (kind_of(verdict)) {
        case OutcomeKind::served:
        case OutcomeKind::client_error:
            backend_.served.fetch_add(1, std::memory_order_relaxed);
            if (lease_.spilled) backend_.spilled.fetch_add(1, std::memory_order_relaxed);
            if (outcome.tokens) backend_.tokens.fetch_add(*outcome.tokens, std::memory_order_relaxed);
            backend_.first_byte_us.fetch_add(
                std::chrono::duration_cast<std::chrono::microseconds>(outcome.first_byte).count(),
                std::memory_order_relaxed);
            return;
        case OutcomeKind::throttled:
            backend_.throttled.fetch_add(1, std::memory_order_relaxed);
            return;
        case OutcomeKind::cancelled:
            return;
        default:
            backend_.failed.fetch_add(1, std::memory_order_relaxed);
    }
}

void Consequences::answered() {
    bool recovered = backend_.breaker.succeeded(lease_.at, now_);
    if (lease_.last_resort) recovered = backend_.breaker.revive(now_) || recovered;
    if (recovered) changed(lease_, false, Reason::none, Scope::backend, {}, {});
}

void Consequences::served() {
    answered();
    slot_.missing.forget();
    slot_.strikes.succeeded(now_);
    for (CircuitBreaker* breaker : {&slot_.quota, &slot_.failures}) {
        bool recovered = breaker->succeeded(lease_.at, now_);
        if (lease_.last_resort && breaker == &slot_.failures) recovered = breaker->revive(now_) || recovered;
        if (recovered) changed(lease_, false, Reason::none, Scope::deployment, {}, {});
    }
    if (backend_.noted(lease_.operation) == nullptr) return;
    CircuitBreaker& operation = backend_.operations[lease_.operation];
    bool recovered = operation.succeeded(lease_.at, now_);
    if (lease_.last_resort) recovered = operation.revive(now_) || recovered;
    if (recovered) changed(lease_, false, Reason::none, Scope::operation, {}, {});
}

void Consequences::rest(const Outcome& outcome, const Verdict& verdict) {
    answered();
    router_.table.prove(lease_.deployment.index);
    if (!slot_.many) {
        const Duration wait = router_.cool_down(outcome, verdict.reason);
        if (slot_.quota.rest(verdict.reason, lease_.at, now_ + wait))
            changed(lease_, true, verdict.reason, Scope::deployment, wait, outcome.detail);
    }
    if (lease_.probe) slot_.failures.release_probe(lease_.at);
    if (lease_.probe && backend_.noted(lease_.operation) != nullptr)
        backend_.operations[lease_.operation].release_probe(lease_.at);
}

void Consequences::fault(const Outcome& outcome, const Verdict& verdict, AttemptHistory* history) {
    if (verdict.whose != Whose::backend) answered();
    const bool suspicious = may_be_the_requests(verdict);
    const bool by_itself = history != nullptr && history->suspect();
    if (suspicious && !by_itself && router_.suspects.has(lease_.fingerprint, now_)) return release_probes();
    AttemptHistory::Failure failure;
    if (suspicious && history != nullptr && history->failed_alike(lease_, verdict)) {
        for (const AttemptHistory::Failure& f : history->failures())
            if (may_be_the_requests(f.verdict)) undo(f);
        history->set_suspect();
        router_.suspects.add(lease_.fingerprint, now_);
        failure.lease = lease_;
        failure.verdict = verdict;
    } else {
        failure = apply(outcome, verdict);
    }
    release_probes();
    if (history != nullptr) history->add(failure);
}

AttemptHistory::Failure Consequences::apply(const Outcome& outcome, const Verdict& verdict) {
    AttemptHistory::Failure failure;
    failure.lease = lease_;
    failure.verdict = verdict;
    const Duration most = std::min(longest_ejection, std::max(router_.retry.max_cool_down, shortest_wait));
    const Duration least = std::min(outcome.retry_after.value_or(Duration::zero()), most);
    switch (verdict.consequence) {
        case Consequence::strike:
            strike(failure, lease_.fingerprint, least, outcome.detail);
            break;
        case Consequence::learn:
            if (slot_.many && verdict.scope != Scope::operation) break;
            // By operation: an embedding asked of a chat model must not take its chat away.
            if (verdict.scope != Scope::operation) slot_.missing.learn(lease_.operation, now_);
            if (verdict.scope == Scope::operation) {
                backend_.note(lease_.operation);
                (void)backend_.operations[lease_.operation].rest(verdict.reason, lease_.at,
                                                                 now_ + NegativeCache::believed);
            }
            break;
        case Consequence::trip: {
            const bool whole = verdict.scope == Scope::backend;
            if (!whole) backend_.note(lease_.operation);
            CircuitBreaker& breaker = whole ? backend_.breaker : backend_.operations[lease_.operation];
            failure.mark = breaker.trip(verdict.reason, lease_.at, now_, least, most);
            if (failure.mark.tripped()) {
                changed(lease_, true, verdict.reason, verdict.scope, breaker.look(now_, 0).wait,
                        outcome.detail);
                const auto refused = std::ranges::count_if(backend_.operations, [&](const CircuitBreaker& o) {
                    return o.look(now_, 0).reason == Reason::unauthorized;
                });
                if (!whole && refused >= several &&
                    backend_.breaker.trip(verdict.reason, lease_.at, now_, least, most).tripped())
                    changed(lease_, true, verdict.reason, Scope::backend, backend_.breaker.look(now_, 0).wait,
                            outcome.detail);
            }
            break;
        }
        case Consequence::rest:
        case Consequence::nothing:
            break;
    }
    return failure;
}

void Consequences::strike(AttemptHistory::Failure& failure, std::uint64_t fingerprint, Duration least,
                          const std::string& detail) {
    const Lease& lease = failure.lease;
    Slot& slot = *lease.slot;
    if (slot.many) return;
    // A probe needs no more than one failure.
    const bool probe = slot.failures.probed_by(lease.at);
    const auto count = slot.strikes.failed(fingerprint, now_);
    failure.counted = count.counted;
    if (!(count.enough || probe) || !router_.has_another(lease, now_)) return;
    const Duration most = std::min(longest_ejection, std::max(router_.retry.max_cool_down, shortest_wait));
    failure.mark = slot.failures.trip(failure.verdict.reason, lease.at, now_, least, most);
    if (failure.mark.tripped())
        changed(lease, true, failure.verdict.reason, Scope::deployment, slot.failures.look(now_, 0).wait,
                detail);
}

void Consequences::undo(const AttemptHistory::Failure& failure) {
    Slot& slot = *failure.lease.slot;
    BackendState& b = *router_.backends[failure.lease.backend];
    if (failure.counted) slot.strikes.undo();
    switch (failure.verdict.scope) {
        case Scope::deployment:
            slot.failures.undo(failure.mark);
            if (failure.verdict.consequence == Consequence::learn) slot.missing.forget();
            break;
        case Scope::operation:
            if (failure.verdict.consequence == Consequence::learn)
                b.operations[failure.lease.operation].reset();
            else
                b.operations[failure.lease.operation].undo(failure.mark);
            break;
        default:
            break;
    }
}

ConcurrencyLimit::Seen Consequences::seen() const noexcept {
    return {lease_.client, lease_.at, lease_.in_flight};
}

void Consequences::first_token(std::uint64_t prompt, Duration took) {
    if (!router_.options.adapt || slot_.many) return;
    tell(slot_.learn([&](ConcurrencyLimit& limit) { return limit.first_token(seen(), prompt, took, now_); }),
         "late first tokens");
}

void Consequences::adapt(const Outcome& outcome, const Verdict& verdict) {
    if (!router_.options.adapt || slot_.many) return;
    constexpr unsigned overloaded = 529;  // Anthropic's
    const bool too_many = verdict.whose == Whose::quota && !outcome.retry_after &&
                          !outcome.limits.limit_tokens && !outcome.limits.limit_requests &&
                          verdict.reason == Reason::throttled;
    const bool refused =
        too_many || verdict.reason == Reason::timeout ||
        (verdict.reason == Reason::server_error && (outcome.status == 503 || outcome.status == overloaded));
    if (refused) {
        const char* const sign = verdict.reason == Reason::timeout ? "time-outs" : "refusals";
        return tell(slot_.learn([&](ConcurrencyLimit& limit) { return limit.refused(seen(), now_); }), sign);
    }
    // Without a limit there is nothing to raise.
    if (verdict != Verdict{} || slot_.most_in_flight.load(std::memory_order_relaxed) == 0) return;
    const Mono kept_away(Duration(slot_.kept_away.load(std::memory_order_relaxed)));
    tell(slot_.learn([&](ConcurrencyLimit& limit) { return limit.served(seen(), kept_away, now_); }), "");
}

void Consequences::tell(ConcurrencyLimit::Change change, const char* sign) {
    if (change == ConcurrencyLimit::Change::none) return;
    StateChange told;
    told.backend = backend_.config.name;
    told.deployment = slot_.name;
    told.limit = slot_.most_in_flight.load(std::memory_order_relaxed);
    told.detail = sign;
    router_.changes.add(std::move(told));
}

void Consequences::release_probes() {
    if (!lease_.probe) return;
    backend_.breaker.release_probe(lease_.at);
    slot_.quota.release_probe(lease_.at);
    slot_.failures.release_probe(lease_.at);
    if (backend_.noted(lease_.operation) != nullptr)
        backend_.operations[lease_.operation].release_probe(lease_.at);
}

void Consequences::changed(const Lease& lease, bool ejected, Reason reason, Scope scope, Duration out,
                           const std::string& detail) {
    BackendState& backend = *router_.backends[lease.backend];
    StateChange change;
    change.backend = backend.config.name;
    if (scope == Scope::deployment) change.deployment = lease.slot->name;
    if (scope == Scope::operation) change.operation = lease.operation;
    change.ejected = ejected;
    change.reason = reason;
    change.out = out;
    change.detail = detail;
    if (ejected) backend.set_detail(detail);
    router_.changes.add(std::move(change));
}

}  // namespace spillway::routing
