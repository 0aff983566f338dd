#include "quota/mirror.hpp"

#include <algorithm>

#include "api/dialect.hpp"

namespace spillway::quota {
namespace {

constexpr Duration minute = std::chrono::minutes(1);
constexpr Duration ten_seconds = std::chrono::seconds(10);
constexpr Duration one_second = std::chrono::seconds(1);

Model model_of(const config::BackendConfig& b) noexcept {
    switch (api::dialect(b.kind).quota_model(b.ptu)) {
        case api::QuotaModel::lenient_bucket:
            return Model::lenient_bucket;
        case api::QuotaModel::strict_bucket:
            return Model::strict_bucket;
        case api::QuotaModel::window:
            break;
    }
    return Model::window;
}

std::optional<std::uint64_t> positive(std::optional<std::int64_t> value) noexcept {
    if (!value || *value <= 0) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
}

std::uint64_t share(std::uint64_t per_minute, Duration window) noexcept {
    return std::max<std::uint64_t>(1, per_minute * static_cast<std::uint64_t>(window / one_second) / 60);
}

/// Over how long a backend with `per_minute` counts requests if it tells `limit` as their limit.
Duration window_of(std::uint64_t per_minute, std::uint64_t limit) noexcept {
    const double ratio = static_cast<double>(per_minute) / static_cast<double>(limit);
    if (ratio > 19) return one_second;  // between 60 and 6, by ratio
    return ratio > 2.4 ? ten_seconds : minute;
}

}  // namespace

Mirror::Mirror(const config::BackendConfig& backend)
    : model_(model_of(backend)),
      rpm_(backend.rpm),
      tokens_(model_, minute),
      requests_(model_ == Model::strict_bucket ? Model::strict_bucket : Model::window,
                model_ == Model::strict_bucket ? minute : ten_seconds) {
    if (backend.tpm) tokens_.set_limit(*backend.tpm, Basis::told);
    if (rpm_)
        requests_.set_limit(share(*rpm_, model_ == Model::strict_bucket ? minute : ten_seconds), Basis::told);
}

Room Mirror::room(std::uint64_t tokens, Mono now) const noexcept {
    Room t = tokens_.room(tokens, now);
    const Room r = requests_.room(1, now);
    if (tokens_.basis() == Basis::none && model_ == Model::lenient_bucket)
        t.headroom =
            std::clamp(1.0 - static_cast<double>(utilization_.load(std::memory_order_relaxed)), 0.0, 1.0);
    if (t.fits && r.fits) {
        // Whichever is used faster than its window passes is what counts.
        if (r.headroom - r.left < t.headroom - t.left && r.headroom < t.headroom) {
            t.headroom = r.headroom;
            t.left = r.left;
        }
        return t;
    }
    Room both = t;
    both.fits = false;
    // Not sure if one that says no may be wrong and the other does not say a sure no.
    both.unsure = (t.fits || t.unsure) && (r.fits || r.unsure);
    both.wait = std::max(t.wait, r.wait);
    both.headroom = std::min(t.headroom, r.headroom);
    return both;
}

std::optional<Reservation> Mirror::claim(std::uint64_t tokens, Mono now, bool force) noexcept {
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
    // What is only guessed refuses nobody; it has been weighed in room().
    return claim(tokens, now, false);
}

std::optional<Reservation> Mirror::reserve_trial(std::uint64_t tokens, Mono now) noexcept {
    const bool told = tokens_.basis() == Basis::told || requests_.basis() == Basis::told;
    if (told) {
        std::int64_t last = trial_.load(std::memory_order_acquire);
        const std::int64_t mine = std::max<std::int64_t>(now.time_since_epoch().count(), 1);
        if (last != 0 && mine - last < trial_patience.count()) return std::nullopt;
        if (!trial_.compare_exchange_strong(last, mine, std::memory_order_acq_rel)) return std::nullopt;
    }
    auto out = claim(tokens, now, true);
    if (out) out->trial = told;
    return out;
}

void Mirror::settle(const Reservation& r) noexcept {
    reserved_.fetch_sub(r.tokens.amount, std::memory_order_relaxed);
    if (r.trial) trial_.store(0, std::memory_order_release);
}

void Mirror::take_back(const Reservation& r) noexcept {
    sent_tokens_.fetch_sub(r.tokens.amount, std::memory_order_relaxed);
    sent_requests_.fetch_sub(1, std::memory_order_relaxed);
    settle(r);
}

void Mirror::others_sent(Sent more, Mono now) noexcept {
    tokens_.others_sent(more.tokens, now);
    requests_.others_sent(more.requests, now);
}

void Mirror::learn_limits(const Reservation& r, const api::RateLimits& limits) noexcept {
    if (model_ != Model::lenient_bucket) {
        if (const auto limit = positive(limits.limit_tokens)) {
            tokens_.set_limit(*limit, Basis::told);
        } else if (limits.remaining_tokens && *limits.remaining_tokens >= 0) {
            const std::uint64_t at_least =
                static_cast<std::uint64_t>(*limits.remaining_tokens) + r.tokens.amount;
            if (at_least > tokens_.limit())
                tokens_.set_limit(at_least, std::max(tokens_.basis(), Basis::guessed));
        }
    }
    if (one_second_.load(std::memory_order_relaxed))
        return;  // found by being refused: what headers tell is another window
    if (const auto limit = positive(limits.limit_requests)) {
        if (model_ == Model::window) {
            // Azure's usual ratio is 6 requests a minute for each 1,000 tokens a minute.
            const std::uint64_t per_minute = rpm_.value_or(tokens_.limit() * 6 / 1000);
            if (per_minute != 0) {
                const Duration length = window_of(per_minute, *limit);
                if (length != one_second) requests_.set_length(length);
            }
        }
        requests_.set_limit(*limit, Basis::told);
    } else if (limits.remaining_requests && *limits.remaining_requests >= 0) {
        const std::uint64_t at_least = static_cast<std::uint64_t>(*limits.remaining_requests) + 1;
        if (at_least > requests_.limit()) {
            if (rpm_ && model_ == Model::window && at_least * 2 > *rpm_) requests_.set_length(minute);
            requests_.set_limit(at_least, std::max(requests_.basis(), Basis::guessed));
        }
    }
}

std::optional<std::uint64_t> Mirror::observe(const Reservation& r, Mono sent,
                                             const api::RateLimits& limits) noexcept {
    learn_limits(r, limits);
    const auto used = [](std::uint64_t limit, std::int64_t remaining) {
        return limit - std::min(limit, static_cast<std::uint64_t>(remaining));
    };
    std::optional<std::uint64_t> charged;
    if (model_ == Model::lenient_bucket) {
        if (limits.ptu_utilization) {
            const double full = std::clamp(*limits.ptu_utilization / 100, 0.0, 100.0);
            utilization_.store(static_cast<float>(full), std::memory_order_relaxed);
            if (tokens_.limit() != 0)
                (void)tokens_.observe(
                    r.tokens, sent, static_cast<std::uint64_t>(full * static_cast<double>(tokens_.limit())));
        }
    } else if (limits.remaining_tokens && *limits.remaining_tokens >= 0) {
        charged = tokens_.observe(r.tokens, sent, used(tokens_.limit(), *limits.remaining_tokens));
        if (limits.reset_tokens) tokens_.resets(sent, *limits.reset_tokens);
    }
    if (limits.remaining_requests && *limits.remaining_requests >= 0 &&
        !one_second_.load(std::memory_order_relaxed)) {
        (void)requests_.observe(r.requests, sent, used(requests_.limit(), *limits.remaining_requests));
        if (limits.reset_requests) requests_.resets(sent, *limits.reset_requests);
    }
    if (r.trial) trial_.store(0, std::memory_order_release);
    return charged;
}

void Mirror::refused(const Reservation& r, Mono sent, const api::RateLimits& limits,
                     std::optional<Duration> retry_after) noexcept {
    learn_limits(r, limits);
    const auto told_used = [](const Meter& meter,
                              std::optional<std::int64_t> remaining) -> std::optional<std::uint64_t> {
        if (!remaining || *remaining < 0 || meter.basis() == Basis::none) return std::nullopt;
        return meter.limit() - std::min(meter.limit(), static_cast<std::uint64_t>(*remaining));
    };
    const auto share_used = [&](const Meter& meter) {
        return meter.limit() == 0
                   ? 0.0
                   : static_cast<double>(meter.used(sent)) / static_cast<double>(meter.limit());
    };
    const bool many_tokens = limits.remaining_tokens && *limits.remaining_tokens >= 0 &&
                             static_cast<std::uint64_t>(*limits.remaining_tokens) / 4 >= r.tokens.amount;
    bool by_requests = false;
    bool smaller_window = false;
    if (model_ == Model::lenient_bucket) {
        by_requests = false;
    } else if (limits.remaining_requests == 0) {
        by_requests = true;
    } else if (limits.remaining_requests && *limits.remaining_requests > 0) {
        // Refused for a moment with plenty of both left: a shorter window is held beside the one that is
        // told.
        smaller_window = many_tokens && retry_after && *retry_after <= one_second &&
                         model_ == Model::window && requests_.basis() == Basis::told;
        by_requests = smaller_window;
    } else if (retry_after && *retry_after <= requests_.length()) {
        by_requests = share_used(requests_) > share_used(tokens_);
    }
    if (!by_requests) {
        tokens_.refused(r.tokens, sent, retry_after, told_used(tokens_, limits.remaining_tokens));
        requests_.release(r.requests);
    } else {
        tokens_.release(r.tokens);
        if (smaller_window && !one_second_.exchange(true, std::memory_order_relaxed)) {
            const auto seconds =
                static_cast<std::uint64_t>((requests_.length() + one_second / 2) / one_second);
            const std::uint64_t limit = std::max<std::uint64_t>(requests_.limit() / seconds, 1);
            requests_.set_length(one_second);
            requests_.set_limit(limit, Basis::told);
        } else {
            requests_.refused(r.requests, sent, retry_after, told_used(requests_, limits.remaining_requests));
        }
    }
    take_back(r);
}

void Mirror::unsent(const Reservation& r) noexcept {
    tokens_.release(r.tokens);
    requests_.release(r.requests);
    take_back(r);
}

void Mirror::finished(const Reservation& r, std::optional<std::uint64_t> used) noexcept {
    if (model_ == Model::lenient_bucket && used) {
        const std::int64_t delta =
            static_cast<std::int64_t>(std::min<std::uint64_t>(*used, 0xffffffffU)) - r.tokens.amount;
        tokens_.adjust(r.tokens, delta);
        sent_tokens_.fetch_add(delta, std::memory_order_relaxed);
    }
    settle(r);
}

}  // namespace spillway::quota
