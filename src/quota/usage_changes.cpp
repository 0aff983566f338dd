#include "quota/usage_changes.hpp"

#include <algorithm>

namespace spillway::quota {
namespace {

UsageChange::Periods sums(Subject& subject, Now now, bool money) {
    UsageChange::Periods out{};
    if (!subject.has_period_limits()) return out;
    for (std::size_t i = 0; i < kPeriods.size(); ++i) {
        out[i] = (money ? subject.cost_in(kPeriods[i]) : subject.tokens_in(kPeriods[i])).used(now);
    }
    return out;
}

UsageChange::Periods difference(UsageChange::Periods& told, const UsageChange::Periods& seen) {
    UsageChange::Periods out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = seen[i] - std::exchange(told[i], seen[i]);
    return out;
}

void change(PeriodUsage& usage, std::int64_t by, Now now) noexcept {
    if (by > 0)
        usage.add(by, now);
    else if (by < 0)
        usage.give_back(-by, now);
}

}  // namespace

bool UsageChange::empty() const noexcept {
    const auto none = [](const Periods& all) {
        return std::ranges::all_of(all, [](std::int64_t n) { return n == 0; });
    };
    return in_flight == 0 && tokens.empty() && requests.empty() && none(period_tokens) && none(period_cost);
}

std::vector<MinuteUsage::Second> UsageTeller::difference(Seconds& told,
                                                         const std::vector<MinuteUsage::Second>& seen,
                                                         Now at) {
    const auto second_now = std::chrono::floor<std::chrono::seconds>(at.mono).time_since_epoch().count();
    std::vector<MinuteUsage::Second> out;
    Seconds now;
    for (const auto& [second, amount] : seen) now[second] = amount;
    for (const auto& [second, amount] : now) {
        const auto before = told.find(second);
        const std::int64_t more = amount - (before != told.end() ? before->second : 0);
        if (more != 0) out.push_back({second, more});
    }
    // What was given back whole; what is older than a minute is gone for the other, too.
    for (const auto& [second, amount] : told)
        if (!now.contains(second) && second + MinuteUsage::kSpanSeconds > second_now)
            out.push_back({second, -amount});
    told = std::move(now);
    return out;
}

/// Of a period that has begun since nothing is told yet.
void UsageTeller::Told::begin_periods(Now now) noexcept {
    for (std::size_t i = 0; i < kPeriods.size(); ++i) {
        const std::int64_t index = period_index(kPeriods[i], now.wall);
        if (std::exchange(period[i], index) != index) period_tokens[i] = period_cost[i] = 0;
    }
}

std::vector<UsageChange> UsageTeller::changes(Now now) {
    std::vector<UsageChange> out;
    for (const SubjectKind kind :
         {SubjectKind::client, SubjectKind::team, SubjectKind::key, SubjectKind::user})
        quotas_->each(kind, [&](Subject& subject) {
            const std::string key =
                std::string(1, static_cast<char>('0' + static_cast<int>(kind))) + subject.key();
            const auto known = told_.find(key);
            if (known == told_.end() && subject.idle(now)) return;
            Told& told = known != told_.end() ? known->second : told_[key];
            told.begin_periods(now);
            UsageChange change;
            change.kind = kind;
            change.owner = subject.owner();
            change.name = subject.name();
            change.first = known == told_.end();
            const std::int64_t in_flight = subject.in_flight().used_here(now);
            change.in_flight = in_flight - std::exchange(told.in_flight, in_flight);
            change.tokens = difference(told.tokens, subject.tokens().usage().seconds(now), now);
            change.requests = difference(told.requests, subject.requests().usage().seconds(now), now);
            change.period_tokens = quota::difference(told.period_tokens, sums(subject, now, false));
            change.period_cost = quota::difference(told.period_cost, sums(subject, now, true));
            if (!change.empty()) out.push_back(std::move(change));
        });
    return out;
}

void UsageListener::apply(const UsageChange& change, const SubjectLimits& users, Now now) {
    const SubjectRef subject = [&]() -> SubjectRef {
        switch (change.kind) {
            case SubjectKind::user:
                return quotas_.user(change.owner, change.name, users, now);
            case SubjectKind::key:
                return quotas_.key(change.name);
            case SubjectKind::client:
            case SubjectKind::team:
                break;
        }
        return quotas_.find(change.kind, change.name);
    }();
    if (subject == nullptr) return;
    for (const auto& second : change.tokens) subject->tokens().usage().change(second, now);
    for (const auto& second : change.requests) subject->requests().usage().change(second, now);
    if (change.in_flight != 0) {
        auto& [kept, count] = in_flight_[subject];
        kept = subject;
        const std::int64_t after = std::max<std::int64_t>(count + change.in_flight, 0);
        subject->in_flight().usage().add(after - count, now);
        count = after;
    }
    for (std::size_t i = 0; i < kPeriods.size(); ++i) {
        PeriodUsage tokens = subject->tokens_in(kPeriods[i]);
        PeriodUsage cost = subject->cost_in(kPeriods[i]);
        const auto more = [&](std::int64_t told, const PeriodUsage& usage) {
            return change.first ? std::max<std::int64_t>(told - usage.used(now), 0) : told;
        };
        quota::change(tokens, more(change.period_tokens[i], tokens), now);
        quota::change(cost, more(change.period_cost[i], cost), now);
    }
}

void UsageListener::end(Now now) noexcept {
    for (auto& [subject, kept] : in_flight_) subject->in_flight().usage().give_back(kept.second, now);
    in_flight_.clear();
}

}  // namespace spillway::quota
