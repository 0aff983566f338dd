#include "quota/client_subject.hpp"

#include <algorithm>

#include "base/packed_heap.hpp"

namespace spillway::quota {
namespace {

using std::chrono::milliseconds;

/// Requests in flight end soon, at an unknown time.
constexpr Duration kSoon = std::chrono::seconds(1);
constexpr Duration kNextLease = milliseconds(50);

/// Undoes what was reserved of a limit, or of all periods, unless it is kept.
template <class Limits>
class Reserved {
public:
    Reserved(Limits& limits, std::int64_t n, Now now) noexcept : limits_(&limits), n_(n), now_(now) {}
    Reserved(const Reserved&) = delete;
    Reserved& operator=(const Reserved&) = delete;
    ~Reserved() {
        if (limits_ != nullptr) limits_->undo(n_, now_);
    }
    void keep() noexcept { limits_ = nullptr; }

private:
    Limits* limits_;
    std::int64_t n_;
    Now now_;
};

/// When to come back after a minute's window refused n.
template <class Usage>
Duration window_wait(Limit<Usage>& limit, std::int64_t n, Now now) noexcept {
    if (!limit.shared()) return limit.usage().until_fits(n, limit.own_cap(), now);
    // Only this replica's part of the window is known by the second.
    const std::int64_t others = limit.used_everywhere(now) - limit.used_here(now);
    const Duration own = limit.usage().until_fits(n, std::max<std::int64_t>(0, limit.limit() - others), now);
    return std::max(std::min<Duration>(own, std::chrono::seconds(10)), Duration(milliseconds(100)));
}

}  // namespace

/// The periods of one kind of amount. Each is summed up, so that a limit set later finds what was used; only
/// those with a limit are looked at before a request's end.
class Subject::Periods {
public:
    Periods(const Subject& subject, PeriodSums& sums, bool cost, unsigned limited) noexcept
        : subject_(subject), sums_(sums), limited_(limited), cost_(cost) {}

    [[nodiscard]] bool any() const noexcept { return limited_ != 0; }
    /// Null if it has none.
    [[nodiscard]] Limit<PeriodUsage>* limit(std::size_t i) const noexcept {
        return ((limited_ >> i) & 1U) != 0 ? subject_.find({kPeriods[i], cost_}) : nullptr;
    }
    void charge(std::int64_t n, Now now) const noexcept {
        each_limit([&](Limit<PeriodUsage>& limit) { limit.charge(n, now); });
    }
    /// The first `count`.
    void undo(std::int64_t n, Now then, std::size_t count = kPeriods.size()) const noexcept {
        each_limit([&](Limit<PeriodUsage>& limit) { limit.undo(n, then); }, count);
    }
    void give_back(std::int64_t n, Now then) const noexcept {
        each_limit([&](Limit<PeriodUsage>& limit) { limit.give_back(n, then); });
    }
    /// In the others, of which those in `limited` have got a limit since.
    void count(std::int64_t n, const Settlement& end, unsigned limited) const noexcept {
        if (n == 0) return;
        Periods(subject_, sums_, cost_, limited & ~limited_).charge(n, end.now);
        for (std::size_t i = 0; i < kPeriods.size(); ++i)
            if ((((limited | limited_) >> i) & 1U) == 0)
                PeriodUsage(kPeriods[i], sums_[i]).add_in(end.periods[i], n);
    }

private:
    template <class Do>
    void each_limit(Do act, std::size_t count = kPeriods.size()) const noexcept {
        if (limited_ == 0) return;
        for (std::size_t i = 0; i < count; ++i)
            if (auto* const set = limit(i)) act(*set);
    }

    const Subject& subject_;
    PeriodSums& sums_;
    unsigned limited_;
    bool cost_;
};

Subject::Periods Subject::token_periods(LimitedPeriods limited) noexcept {
    return {*this, token_sums_, false, limited.tokens};
}

Subject::Periods Subject::cost_periods(LimitedPeriods limited) noexcept {
    return {*this, cost_sums_, true, limited.cost};
}

std::string_view to_string(SubjectKind kind) noexcept {
    switch (kind) {
        case SubjectKind::client:
            return "client";
        case SubjectKind::user:
            return "user";
        case SubjectKind::key:
            return "key";
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
        case Reason::users_full:
            return "users";
        case Reason::fair_share:
            break;
    }
    return "fair_share";
}

/// An owner longer than its length's type is cut off: such clients share their users' names.
Subject::Subject(SubjectKind kind, std::string_view owner, std::string_view name)
    : kind_(kind),
      owner_length_(static_cast<std::uint16_t>(std::min<std::size_t>(owner.size(), 0xffff))),
      key_(key_of(owner.substr(0, owner_length_), name)) {}

Subject::~Subject() {
    PeriodLimit* next = period_limits_.load(std::memory_order_relaxed);
    while (next != nullptr) next = Packed<PeriodLimit>(next)->next;
}

/// No name in a configuration has a separator of units in it.
std::string Subject::key_of(std::string_view owner, std::string_view name) {
    if (owner.empty()) return std::string(name);
    std::string key(owner);
    key += '\x1f';
    key += name;
    return key;
}

Limit<PeriodUsage>* Subject::find(Counted what) const noexcept {
    for (PeriodLimit* at = period_limits_.load(std::memory_order_acquire); at != nullptr; at = at->next)
        if (at->counted == what) return &at->limit;
    return nullptr;
}

void Subject::set_period_limit(Counted what, std::int64_t limit) {
    Limit<PeriodUsage>* there = find(what);
    if (there == nullptr && limit > 0) {
        auto& sum = (what.cost ? cost_sums_ : token_sums_)[place(what.period)];
        Packed<PeriodLimit> made = make_packed<PeriodLimit>(what, sum);
        there = &made->limit;
        made->next = period_limits_.load(std::memory_order_relaxed);
        period_limits_.store(made.release(), std::memory_order_release);
    }
    if (there != nullptr) there->set_limit(std::min(limit, PeriodUsage::kMost));
}

bool Subject::quiet(Now now) noexcept {
    return in_flight_.used_here(now) == 0 && open_tokens_.load(std::memory_order_relaxed) == 0 &&
           open_cost_.load(std::memory_order_relaxed) == 0;
}

bool Subject::idle(Now now) noexcept {
    if (!quiet(now) || tokens_.used_here(now) != 0 || requests_.used_here(now) != 0) return false;
    const LimitedPeriods limited = limited_periods();
    for (std::size_t i = 0; i < kPeriods.size(); ++i)
        for (auto* const limit : {token_periods(limited).limit(i), cost_periods(limited).limit(i)})
            if (limit != nullptr && limit->used_here(now) != 0) return false;
    return true;
}

void Subject::set_limits(const SubjectLimits& limits) {
    tokens_.set_limit(std::min(limits.tokens_per_minute, MinuteUsage::kMost));
    requests_.set_limit(std::min(limits.requests_per_minute, MinuteUsage::kMost));
    in_flight_.set_limit(limits.concurrency);
    const auto set = [this](bool cost, const auto& given, std::atomic<std::uint8_t>& limited) {
        unsigned some = 0;
        for (const Period p : kPeriods) {
            set_period_limit({p, cost}, given[place(p)]);
            some |= unsigned{given[place(p)] > 0} << place(p);
        }
        limited.store(static_cast<std::uint8_t>(some), std::memory_order_release);
    };
    set(false, limits.tokens, token_limits_);
    set(true, limits.budget, cost_limits_);
    shadow_.store(limits.shadow, std::memory_order_relaxed);
    weight_.store(weight(limits.priority), std::memory_order_relaxed);
}

std::optional<LimitedPeriods> Subject::reserve(const Amounts& amounts, Now now, Refusal& refusal) noexcept {
    const LimitedPeriods limited = limited_periods();
    if (!try_reserve(amounts, limited, now, refusal)) {
        if (!shadow()) return std::nullopt;
        count_shadow_refusal();
        force(amounts, limited, now);
    }
    add_open(amounts.tokens, amounts.cost, limited);
    return limited;
}

bool Subject::try_reserve(const Amounts& amounts, LimitedPeriods limited, Now now,
                          Refusal& refusal) noexcept {
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
    Reserved flight(in_flight_, 1, now);
    if (requests_.limit() > 0)
        if (const Verdict v = requests_.reserve(1, now); v != Verdict::admitted) {
            refuse(Reason::requests, requests_, 1, v, window_wait(requests_, 1, now));
            return false;
        }
    Reserved request(requests_, requests_.limit() > 0 ? 1 : 0, now);
    if (const Verdict v = tokens_.reserve(amounts.tokens, now); v != Verdict::admitted) {
        refuse(Reason::tokens, tokens_, amounts.tokens, v, window_wait(tokens_, amounts.tokens, now));
        return false;
    }
    Reserved tokens(tokens_, amounts.tokens, now);
    Periods token_quota = token_periods(limited);
    if (!reserve_periods(token_quota, amounts.tokens, Reason::token_quota, now, refusal)) return false;
    Reserved quota(token_quota, amounts.tokens, now);
    if (!reserve_periods(cost_periods(limited), amounts.cost, Reason::budget, now, refusal)) return false;
    flight.keep();
    request.keep();
    tokens.keep();
    quota.keep();
    return true;
}

bool Subject::reserve_periods(Periods periods, std::int64_t n, Reason gone, Now now,
                              Refusal& refusal) noexcept {
    for (std::size_t i = 0; periods.any() && i < kPeriods.size(); ++i) {
        auto* const set = periods.limit(i);
        if (set == nullptr) continue;
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

void Subject::force(const Amounts& amounts, LimitedPeriods limited, Now now) noexcept {
    in_flight_.charge(1, now);
    if (requests_.limit() > 0) requests_.charge(1, now);
    tokens_.charge(amounts.tokens, now);
    token_periods(limited).charge(amounts.tokens, now);
    cost_periods(limited).charge(amounts.cost, now);
}

void Subject::add_open(std::int64_t tokens, std::int64_t cost, LimitedPeriods limited) noexcept {
    if (limited.tokens != 0) open_tokens_.fetch_add(tokens, std::memory_order_relaxed);
    if (limited.cost != 0) open_cost_.fetch_add(cost, std::memory_order_relaxed);
}

void Subject::undo(const Amounts& amounts, LimitedPeriods limited, Now then) noexcept {
    add_open(-amounts.tokens, -amounts.cost, limited);
    in_flight_.undo(1, then);
    requests_.undo(1, then);
    tokens_.undo(amounts.tokens, then);
    token_periods(limited).undo(amounts.tokens, then);
    cost_periods(limited).undo(amounts.cost, then);
}

void Subject::settle(const Settlement& end, LimitedPeriods limited) noexcept {
    const auto correct = [&](auto&& limit, std::int64_t before, std::int64_t after) {
        if (after < before)
            limit.give_back(before - after, end.then);
        else if (after > before)
            limit.charge(after - before, end.now);
    };
    if (end.in_flight) in_flight_.undo(1, end.then);
    correct(tokens_, end.reserved.tokens, end.used.tokens);
    correct(token_periods(limited), end.reserved.tokens, end.used.tokens);
    correct(cost_periods(limited), end.reserved.cost, end.used.cost);
    const LimitedPeriods limited_now = limited_periods();
    token_periods(limited).count(end.used.tokens, end, limited_now.tokens);
    cost_periods(limited).count(end.used.cost, end, limited_now.cost);
    add_open(-end.reserved.tokens, -end.reserved.cost, limited);
    spent_.fetch_add(end.used.cost, std::memory_order_relaxed);
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
    tokens_in(period).add(used.tokens, now);
    cost_in(period).add(used.cost, now);
}

void Subject::each_limit(const std::function<void(std::string_view, Shareable&)>& visit) {
    static constexpr std::array<std::string_view, kPeriods.size()> tokens{"hour", "day", "week", "month"};
    static constexpr std::array<std::string_view, kPeriods.size()> money{"hour-cost", "day-cost", "week-cost",
                                                                         "month-cost"};
    if (tokens_.limit() > 0) visit("tpm", tokens_);
    if (requests_.limit() > 0) visit("rpm", requests_);
    if (in_flight_.limit() > 0) visit("in-flight", in_flight_);
    for (const Period p : kPeriods) {
        if (auto* const set = token_limit(p); set != nullptr && set->limit() > 0)
            visit(tokens[place(p)], *set);
        if (auto* const set = cost_limit(p); set != nullptr && set->limit() > 0) visit(money[place(p)], *set);
    }
}

}  // namespace spillway::quota
