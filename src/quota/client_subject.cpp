#include "quota/client_subject.hpp"

namespace spillway::quota {
namespace {

using std::chrono::milliseconds;

/// Requests in flight end soon, nobody knows when.
constexpr Duration kSoon = std::chrono::seconds(1);
constexpr Duration kNextLease = milliseconds(50);

/// When to come back after a minute's window refused n.
Duration window_wait(Limit<MinuteUsage>& limit, std::int64_t n, Now now) noexcept {
    if (!limit.shared()) return limit.usage().until_fits(n, limit.own_cap(), now);
    // Only this replica's part of the window is known by the second.
    const std::int64_t others = limit.used_everywhere(now) - limit.used_here(now);
    const Duration own = limit.usage().until_fits(n, std::max<std::int64_t>(0, limit.limit() - others), now);
    return std::max(std::min<Duration>(own, std::chrono::seconds(10)), Duration(milliseconds(100)));
}

}  // namespace

/// The periods of one kind of amount. Each is summed up, so that a limit set later finds what was used; only
/// the limits that are set are looked at.
class Subject::Periods {
public:
    Periods(PeriodSums& sums, PeriodLimits& limits, const std::atomic<std::uint8_t>& limited) noexcept
        : sums_(sums), limits_(limits), limited_(limited.load(std::memory_order_relaxed)) {}

    /// Null if there is none.
    [[nodiscard]] Limit<PeriodUsage>* limit(std::size_t i) const noexcept {
        return ((limited_ >> i) & 1U) != 0 ? &limits_[i] : nullptr;
    }
    [[nodiscard]] PeriodUsage usage(std::size_t i) const noexcept { return {kPeriods[i], sums_[i]}; }
    void charge(std::int64_t n, Now now) const noexcept {
        for (std::size_t i = 0; i < kPeriods.size(); ++i)
            if (auto* const set = limit(i))
                set->charge(n, now);
            else
                usage(i).add(n, now);
    }
    /// The first `count`.
    void undo(std::int64_t n, Now then, std::size_t count = kPeriods.size()) const noexcept {
        for (std::size_t i = 0; i < count; ++i)
            if (auto* const set = limit(i))
                set->undo(n, then);
            else
                usage(i).give_back(n, then);
    }
    void give_back(std::int64_t n, Now then) const noexcept {
        for (std::size_t i = 0; i < kPeriods.size(); ++i) usage(i).give_back(n, then);
    }

private:
    PeriodSums& sums_;
    PeriodLimits& limits_;
    unsigned limited_;
};

Subject::PeriodLimits Subject::limits_of(PeriodSums& sums) {
    return {Limit<PeriodUsage>(Period::hour, sums[0]), Limit<PeriodUsage>(Period::day, sums[1]),
            Limit<PeriodUsage>(Period::week, sums[2]), Limit<PeriodUsage>(Period::month, sums[3])};
}

Subject::Periods Subject::token_periods() noexcept {
    return {token_sums_, token_period_limits_, token_limits_};
}

Subject::Periods Subject::cost_periods() noexcept {
    return {cost_sums_, cost_period_limits_, cost_limits_};
}

std::string_view to_string(SubjectKind kind) noexcept {
    switch (kind) {
        case SubjectKind::client:
            return "client";
        case SubjectKind::user:
            return "user";
        case SubjectKind::team:
            break;
    }
    return "team";
}

std::string_view to_string(Reason reason) noexcept {
    switch (reason) {
        case Reason::concurrency:
            return "concurrency";
        case Reason::requests:
            return "requests";
        case Reason::tokens:
            return "tokens";
        case Reason::too_large:
            return "too_large";
        case Reason::token_quota:
            return "token_quota";
        case Reason::budget:
            return "budget";
        case Reason::busy_quota:
            return "busy_quota";
        case Reason::fair_share:
            break;
    }
    return "fair_share";
}

Subject::Subject(SubjectKind kind, std::string name)
    : kind_(kind),
      name_(std::move(name)),
      token_period_limits_(limits_of(token_sums_)),
      cost_period_limits_(limits_of(cost_sums_)) {}

void Subject::prefetch(Now now) const noexcept {
    prefetch_for_write(this, &tokens_);
    tokens_.prefetch(now);
    requests_.prefetch(now);
}

void Subject::prefetch_limits() const noexcept {
    const auto of = [](const PeriodLimits& limits, unsigned limited) {
        for (std::size_t i = 0; limited != 0; ++i, limited >>= 1U)
            if ((limited & 1U) != 0) prefetch_for_write(&limits[i], &limits[i] + 1);
    };
    of(token_period_limits_, token_limits_.load(std::memory_order_relaxed));
    of(cost_period_limits_, cost_limits_.load(std::memory_order_relaxed));
}

void Subject::set_limits(const SubjectLimits& limits) noexcept {
    tokens_.set_limit(std::min(limits.tokens_per_minute, MinuteUsage::kMost));
    requests_.set_limit(std::min(limits.requests_per_minute, MinuteUsage::kMost));
    in_flight_.set_limit(limits.concurrency);
    const auto set = [](PeriodLimits& all, const auto& given, std::atomic<std::uint8_t>& limited) {
        unsigned which = 0;
        for (std::size_t i = 0; i < kPeriods.size(); ++i) {
            all[i].set_limit(std::min(given[i], PeriodUsage::kMost));
            which |= unsigned{given[i] > 0} << i;
        }
        limited.store(static_cast<std::uint8_t>(which), std::memory_order_relaxed);
    };
    set(token_period_limits_, limits.tokens, token_limits_);
    set(cost_period_limits_, limits.budget, cost_limits_);
    shadow_.store(limits.shadow, std::memory_order_relaxed);
    weight_.store(weight(limits.priority), std::memory_order_relaxed);
}

bool Subject::reserve(const Amounts& amounts, Now now, Refusal& refusal) noexcept {
    if (!try_reserve(amounts, now, refusal)) {
        if (!shadow()) return false;
        count_shadow_refusal();
        force(amounts, now);
    }
    open_tokens_.fetch_add(amounts.tokens, std::memory_order_relaxed);
    open_cost_.fetch_add(amounts.cost, std::memory_order_relaxed);
    return true;
}

bool Subject::try_reserve(const Amounts& amounts, Now now, Refusal& refusal) noexcept {
    refusal.subject = this;
    const auto refuse = [&](Reason reason, auto& limit, std::int64_t wanted, Verdict verdict, Duration wait) {
        refusal.reason = reason;
        refusal.limit = limit.limit();
        refusal.wanted = wanted;
        refusal.used = limit.used_everywhere(now);
        refusal.lease_short = verdict == Verdict::lease_short;
        refusal.retry_in = refusal.lease_short ? kNextLease : wait;
    };
    if (tokens_.limit() > 0 && amounts.tokens > tokens_.limit()) {
        refuse(Reason::too_large, tokens_, amounts.tokens, Verdict::refused,
               std::chrono::seconds(MinuteUsage::kSpanSeconds));
        return false;
    }
    if (const Verdict v = in_flight_.reserve(1, now); v != Verdict::admitted) {
        refuse(Reason::concurrency, in_flight_, 1, v, kSoon);
        return false;
    }
    if (const Verdict v = requests_.reserve(1, now); v != Verdict::admitted) {
        in_flight_.undo(1, now);
        refuse(Reason::requests, requests_, 1, v, window_wait(requests_, 1, now));
        return false;
    }
    if (const Verdict v = tokens_.reserve(amounts.tokens, now); v != Verdict::admitted) {
        in_flight_.undo(1, now);
        requests_.undo(1, now);
        refuse(Reason::tokens, tokens_, amounts.tokens, v, window_wait(tokens_, amounts.tokens, now));
        return false;
    }
    if (!reserve_periods(token_periods(), amounts.tokens, Reason::token_quota, now, refusal)) {
        in_flight_.undo(1, now);
        requests_.undo(1, now);
        tokens_.undo(amounts.tokens, now);
        return false;
    }
    if (!reserve_periods(cost_periods(), amounts.cost, Reason::budget, now, refusal)) {
        in_flight_.undo(1, now);
        requests_.undo(1, now);
        tokens_.undo(amounts.tokens, now);
        token_periods().undo(amounts.tokens, now);
        return false;
    }
    return true;
}

bool Subject::reserve_periods(Periods periods, std::int64_t n, Reason gone, Now now,
                              Refusal& refusal) noexcept {
    for (std::size_t i = 0; i < kPeriods.size(); ++i) {
        auto* const set = periods.limit(i);
        if (set == nullptr) {
            periods.usage(i).add(n, now);
            continue;
        }
        auto& limit = *set;
        const Verdict verdict = limit.reserve(n, now);
        // Nothing left is a refusal even for what is free of charge.
        if (verdict == Verdict::admitted && (limit.limit() == 0 || n > 0 || limit.remaining(now) > 0))
            continue;
        if (verdict == Verdict::admitted) limit.undo(n, now);
        periods.undo(n, now, i);
        const std::int64_t open =
            (gone == Reason::budget ? open_cost_ : open_tokens_).load(std::memory_order_relaxed);
        refusal.used = limit.used_everywhere(now);
        refusal.limit = limit.limit();
        refusal.wanted = n;
        refusal.period = kPeriods[i];
        refusal.lease_short = verdict == Verdict::lease_short;
        const bool busy = open > 0 && n <= refusal.limit - (refusal.used - std::min(open, refusal.used));
        refusal.reason = busy ? Reason::busy_quota : gone;
        refusal.retry_in = refusal.lease_short ? kNextLease : busy ? kSoon : limit.usage().until_empty(now);
        return false;
    }
    return true;
}

void Subject::force(const Amounts& amounts, Now now) noexcept {
    in_flight_.charge(1, now);
    requests_.charge(1, now);
    tokens_.charge(amounts.tokens, now);
    token_periods().charge(amounts.tokens, now);
    cost_periods().charge(amounts.cost, now);
}

void Subject::undo(const Amounts& amounts, Now then) noexcept {
    open_tokens_.fetch_sub(amounts.tokens, std::memory_order_relaxed);
    open_cost_.fetch_sub(amounts.cost, std::memory_order_relaxed);
    in_flight_.undo(1, then);
    requests_.undo(1, then);
    tokens_.undo(amounts.tokens, then);
    token_periods().undo(amounts.tokens, then);
    cost_periods().undo(amounts.cost, then);
}

void Subject::settle(const Amounts& reserved, const Amounts& used, Now then, Now now) noexcept {
    const auto correct = [&](auto&& limit, std::int64_t before, std::int64_t after) {
        if (after < before)
            limit.give_back(before - after, then);
        else if (after > before)
            limit.charge(after - before, now);
    };
    in_flight_.undo(1, then);
    correct(tokens_, reserved.tokens, used.tokens);
    correct(token_periods(), reserved.tokens, used.tokens);
    correct(cost_periods(), reserved.cost, used.cost);
    open_tokens_.fetch_sub(reserved.tokens, std::memory_order_relaxed);
    open_cost_.fetch_sub(reserved.cost, std::memory_order_relaxed);
    spent_.fetch_add(used.cost, std::memory_order_relaxed);
}

std::uint64_t Subject::typical_output() const noexcept {
    const std::int64_t guess = typical_output_.load(std::memory_order_relaxed);
    const std::int64_t limit = tokens_.limit();
    return static_cast<std::uint64_t>(limit > 0 ? std::min(guess, limit / 4) : guess);
}

/// Up at once, down slowly: too high a guess costs a little room, too low a one lets requests slip past.
void Subject::learn_output(std::uint64_t tokens) noexcept {
    const auto seen = static_cast<std::int64_t>(std::min<std::uint64_t>(tokens, 1'000'000));
    const std::int64_t before = typical_output_.load(std::memory_order_relaxed);
    const std::int64_t after = std::max(seen, before - (before - seen) / 16 - (before > seen ? 1 : 0));
    if (after != before) typical_output_.store(after, std::memory_order_relaxed);
}

void Subject::restore(Period period, const Amounts& used, Now now) noexcept {
    period_tokens(period).usage().add(used.tokens, now);
    period_cost(period).usage().add(used.cost, now);
}

void Subject::each_limit(const std::function<void(std::string_view, Shareable&)>& visit) {
    static constexpr std::array<std::string_view, kPeriods.size()> tokens{"hour", "day", "week", "month"};
    static constexpr std::array<std::string_view, kPeriods.size()> money{"hour-cost", "day-cost", "week-cost",
                                                                         "month-cost"};
    if (tokens_.limit() > 0) visit("tpm", tokens_);
    if (requests_.limit() > 0) visit("rpm", requests_);
    if (in_flight_.limit() > 0) visit("in-flight", in_flight_);
    for (std::size_t i = 0; i < kPeriods.size(); ++i) {
        if (token_period_limits_[i].limit() > 0) visit(tokens[i], token_period_limits_[i]);
        if (cost_period_limits_[i].limit() > 0) visit(money[i], cost_period_limits_[i]);
    }
}

}  // namespace spillway::quota
