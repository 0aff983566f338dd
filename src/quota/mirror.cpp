#include "quota/mirror.hpp"

#include <algorithm>
#include <mutex>

#include "api/dialect.hpp"

namespace spillway::quota {
namespace {

constexpr Duration minute = std::chrono::minutes(1);
constexpr Duration ten_seconds = std::chrono::seconds(10);
constexpr Duration one_second = std::chrono::seconds(1);

using api::QuotaModel;

/// The three ways in which backends count.
constexpr Mirror::Rules windows{QuotaModel::window, QuotaModel::window, ten_seconds, false, true};
constexpr Mirror::Rules strict{QuotaModel::strict_bucket, QuotaModel::strict_bucket, minute, false, false};
constexpr Mirror::Rules provisioned{QuotaModel::lenient_bucket, QuotaModel::window, ten_seconds, true, false};

const Mirror::Rules& rules_of(const config::BackendConfig& b) noexcept {
    switch (api::dialect(b.kind).quota_model(b.ptu)) {
        case QuotaModel::lenient_bucket:
            return provisioned;
        case QuotaModel::strict_bucket:
            return strict;
        case QuotaModel::window:
            break;
    }
    return windows;
}

std::optional<std::uint64_t> positive(std::optional<std::int64_t> value) noexcept {
    if (!value || *value <= 0) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
}
/// A count that is known, negative ones being "unknown".
std::optional<std::uint64_t> known(std::optional<std::int64_t> value) noexcept {
    if (!value || *value < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
}

std::uint64_t share(std::uint64_t per_minute, Duration window) noexcept {
    return std::max<std::uint64_t>(1, per_minute * static_cast<std::uint64_t>(window / one_second) / 60);
}

/// Over how long a backend with `per_minute` counts requests if it reports `limit` as their limit.
Duration window_of(std::uint64_t per_minute, std::uint64_t limit) noexcept {
    const double ratio = static_cast<double>(per_minute) / static_cast<double>(limit);
    if (ratio > 19) return one_second;  // between 60 and 6, by ratio
    return ratio > 2.4 ? ten_seconds : minute;
}

std::uint64_t used_of(const MeterLevel& level, std::uint64_t remaining) noexcept {
    return level.limit() - std::min(level.limit(), remaining);
}

double share_used(const MeterLevel& level, Mono now) noexcept {
    if (level.limit() == 0) return 0;
    return static_cast<double>(level.used(now)) / static_cast<double>(level.limit());
}

}  // namespace

class Mirror::Change {
public:
    explicit Change(Mirror& mirror) noexcept : mirror_(mirror), lock_(mirror.lock_) {}
    ~Change() {
        mirror_.levels_.store({mirror_.tokens_.level(), mirror_.requests_.level(), mirror_.utilization_});
    }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

private:
    Mirror& mirror_;
    std::lock_guard<SpinLock> lock_;
};

Mirror::Mirror(const config::BackendConfig& backend)
    : levels_({MeterLevel(WindowLevel(minute)), MeterLevel(WindowLevel(minute))}),
      rules_(rules_of(backend)),
      rpm_(backend.rpm),
      tokens_(rules_.tokens, minute),
      requests_(rules_.requests, rules_.request_window) {
    const Change change(*this);
    if (backend.tpm) tokens_.set_limit(*backend.tpm, Basis::reported);
    if (rpm_) requests_.set_limit(share(*rpm_, rules_.request_window), Basis::reported);
}

Headroom Mirror::headroom(std::uint64_t tokens, Mono now) const noexcept {
    const Levels levels = levels_.load();
    Headroom t = levels.tokens.headroom(tokens, now);
    const Headroom r = levels.requests.headroom(1, now);
    const std::uint64_t all = whole(levels.tokens);
    t.never = levels.tokens.basis() == Basis::reported && all != 0 && tokens > all;
    if (rules_.by_utilization && levels.tokens.basis() == Basis::none)
        t.share = std::clamp(1.0 - static_cast<double>(levels.utilization), 0.0, 1.0);
    if (t.fits && r.fits) {
        // Whichever is used faster than its window passes is what counts.
        if (r.share - r.left < t.share - t.left && r.share < t.share) {
            t.share = r.share;
            t.left = r.left;
        }
        return t;
    }
    Headroom both = t;
    both.fits = false;
    // Not sure if one that says no may be wrong and the other does not say a sure no.
    both.unsure = (t.fits || t.unsure) && (r.fits || r.unsure);
    both.wait = std::max(t.wait, r.wait);
    both.share = std::min(t.share, r.share);
    return both;
}

std::optional<Reservation> Mirror::reserve_locked(std::uint64_t tokens, Mono now, bool force) noexcept {
    const auto t = tokens_.reserve(tokens, now, force);
    if (!t) return std::nullopt;
    const auto r = requests_.reserve(1, now, force);
    if (!r) {
        tokens_.release(*t);
        return std::nullopt;
    }
    reserved_.fetch_add(t->amount, std::memory_order_relaxed);
    sent_tokens_.fetch_add(t->amount, std::memory_order_relaxed);
    sent_requests_.fetch_add(1, std::memory_order_relaxed);
    return Reservation{*t, *r, false};
}

std::optional<Reservation> Mirror::reserve(std::uint64_t tokens, Mono now) noexcept {
    // A guessed limit refuses nothing; it has been considered in headroom().
    const Change change(*this);
    return reserve_locked(tokens, now, false);
}

std::optional<Reservation> Mirror::reserve_trial(std::uint64_t tokens, Mono now) noexcept {
    const Change change(*this);
    const auto is_reported = [](const Meter& meter) { return meter.level().basis() == Basis::reported; };
    const bool is_trial = is_reported(tokens_) || is_reported(requests_);
    if (is_trial) {
        const std::int64_t mine = std::max<std::int64_t>(now.time_since_epoch().count(), 1);
        if (trial_ != 0 && mine - trial_ < trial_patience.count()) return std::nullopt;
        trial_ = mine;
    }
    auto out = reserve_locked(tokens, now, true);
    if (out) out->trial = is_trial;
    return out;
}

void Mirror::restore(const Levels& levels) noexcept {
    const Change change(*this);
    tokens_.restore(levels.tokens);
    requests_.restore(levels.requests);
    utilization_ = levels.utilization;
    one_second_ = rules_.window_varies && requests_.level().length() <= one_second;
}

void Mirror::settle(const Reservation& r) noexcept {
    reserved_.fetch_sub(r.tokens.amount, std::memory_order_relaxed);
}

void Mirror::uncount(const Reservation& r) noexcept {
    sent_tokens_.fetch_sub(r.tokens.amount, std::memory_order_relaxed);
    sent_requests_.fetch_sub(1, std::memory_order_relaxed);
    settle(r);
}

void Mirror::others_sent(Sent more, Mono now) noexcept {
    const Change change(*this);
    tokens_.others_sent(more.tokens, now);
    requests_.others_sent(more.requests, now);
}

void Mirror::learn_limits(const Reservation& r, const api::RateLimits& limits) noexcept {
    if (!rules_.by_utilization) {
        const MeterLevel tokens = tokens_.level();
        if (const auto limit = positive(limits.limit_tokens)) {
            tokens_.set_limit(*limit, Basis::reported);
        } else if (const auto remaining = known(limits.remaining_tokens)) {
            const std::uint64_t at_least = *remaining + r.tokens.amount;
            if (at_least > tokens.limit())
                tokens_.set_limit(at_least, std::max(tokens.basis(), Basis::guessed));
        }
    }
    // Found by being refused: what heads report is another window.
    if (!one_second_) learn_request_limit(limits);
}

void Mirror::learn_request_limit(const api::RateLimits& limits) noexcept {
    const MeterLevel requests = requests_.level();
    if (const auto limit = positive(limits.limit_requests)) {
        if (rules_.window_varies) {
            // Azure's usual ratio is 6 requests a minute for each 1,000 tokens a minute.
            const std::uint64_t per_minute = rpm_.value_or(tokens_.level().limit() * 6 / 1000);
            if (per_minute != 0) {
                const Duration length = window_of(per_minute, *limit);
                if (length != one_second) requests_.set_length(length);
            }
        }
        requests_.set_limit(*limit, Basis::reported);
    } else if (const auto remaining = known(limits.remaining_requests)) {
        const std::uint64_t at_least = *remaining + 1;
        if (at_least <= requests.limit()) return;
        if (rpm_ && rules_.window_varies && at_least * 2 > *rpm_) requests_.set_length(minute);
        requests_.set_limit(at_least, std::max(requests.basis(), Basis::guessed));
    }
}

std::optional<std::uint64_t> Mirror::observe(const Reservation& r, Mono sent,
                                             const api::RateLimits& limits) noexcept {
    const Change change(*this);
    learn_limits(r, limits);
    std::optional<std::uint64_t> charged;
    if (rules_.by_utilization) {
        if (limits.ptu_utilization) {
            const double full = std::clamp(*limits.ptu_utilization / 100, 0.0, 100.0);
            utilization_ = static_cast<float>(full);
            if (const std::uint64_t limit = tokens_.level().limit(); limit != 0)
                (void)tokens_.observe(r.tokens, sent,
                                      static_cast<std::uint64_t>(full * static_cast<double>(limit)));
        }
    } else if (const auto remaining = known(limits.remaining_tokens)) {
        charged = tokens_.observe(r.tokens, sent, used_of(tokens_.level(), *remaining));
        if (limits.reset_tokens) tokens_.resets(sent, *limits.reset_tokens);
    }
    if (const auto remaining = known(limits.remaining_requests); remaining && !one_second_) {
        (void)requests_.observe(r.requests, sent, used_of(requests_.level(), *remaining));
        if (limits.reset_requests) requests_.resets(sent, *limits.reset_requests);
    }
    end_trial(r);
    return charged;
}

/// Which of the two counters a 429 is due to.
Mirror::Culprit Mirror::culprit(const Reservation& r, Mono sent, const api::RateLimits& limits,
                                std::optional<Duration> retry_after) const noexcept {
    if (rules_.by_utilization) return Culprit::tokens;
    if (limits.remaining_requests == 0) return Culprit::requests;
    const MeterLevel requests = requests_.level();
    if (known(limits.remaining_requests)) {
        // Refused for a moment with plenty of both left: a shorter window is held beside the one that is
        // reported.
        const auto tokens_left = known(limits.remaining_tokens);
        const bool plenty = tokens_left && *tokens_left / 4 >= r.tokens.amount;
        const bool brief = retry_after && *retry_after <= one_second;
        const bool shorter = plenty && brief && rules_.window_varies && requests.basis() == Basis::reported;
        return shorter ? Culprit::shorter_window : Culprit::tokens;
    }
    if (!retry_after || *retry_after > requests.length()) return Culprit::tokens;
    return share_used(requests, sent) > share_used(tokens_.level(), sent) ? Culprit::requests
                                                                          : Culprit::tokens;
}

void Mirror::learn_shorter_window() noexcept {
    one_second_ = true;
    const MeterLevel requests = requests_.level();
    const auto seconds = static_cast<std::uint64_t>((requests.length() + one_second / 2) / one_second);
    const std::uint64_t limit = std::max<std::uint64_t>(requests.limit() / seconds, 1);
    requests_.set_length(one_second);
    requests_.set_limit(limit, Basis::reported);
}

void Mirror::refused(const Reservation& r, Mono sent, const api::RateLimits& limits,
                     std::optional<Duration> retry_after) noexcept {
    const Change change(*this);
    learn_limits(r, limits);
    const auto reported_used = [](const MeterLevel& level, std::optional<std::int64_t> remaining) {
        const auto left = level.basis() == Basis::none ? std::nullopt : known(remaining);
        return left ? std::optional(used_of(level, *left)) : std::nullopt;
    };
    const Culprit by = culprit(r, sent, limits, retry_after);
    if (by == Culprit::tokens) {
        tokens_.refused(r.tokens, sent, retry_after, reported_used(tokens_.level(), limits.remaining_tokens));
        requests_.release(r.requests);
    } else {
        tokens_.release(r.tokens);
        if (by == Culprit::shorter_window && !one_second_)
            learn_shorter_window();
        else
            requests_.refused(r.requests, sent, retry_after,
                              reported_used(requests_.level(), limits.remaining_requests));
    }
    end_trial(r);
    uncount(r);
}

void Mirror::unsent(const Reservation& r) noexcept {
    const Change change(*this);
    tokens_.release(r.tokens);
    requests_.release(r.requests);
    end_trial(r);
    uncount(r);
}

void Mirror::finished(const Reservation& r, std::optional<std::uint64_t> used) noexcept {
    if (rules_.by_utilization && used) {
        const std::int64_t delta =
            static_cast<std::int64_t>(std::min<std::uint64_t>(*used, max_count)) - r.tokens.amount;
        const Change change(*this);
        tokens_.adjust(r.tokens, delta);
        sent_tokens_.fetch_add(delta, std::memory_order_relaxed);
    }
    if (r.trial) {
        const std::lock_guard lock(lock_);
        end_trial(r);
    }
    settle(r);
}

}  // namespace spillway::quota
