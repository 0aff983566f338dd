#include "routing/concurrency_limit.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace spillway::routing {
namespace {

constexpr float refusal_cut = 0.9F;
/// Of a cut for late first tokens: to where they should be well in time.
constexpr float in_time = 1.6F;
constexpr float deepest_cut = 0.5F;
constexpr float smallest_cut = 0.8F;
/// A cut of that much makes a queue's first tokens come sooner by more than this.
constexpr float no_sooner = 0.9F;
/// A round adds this part of the limit, at least one.
constexpr std::uint32_t round_part = 16;
/// A step of a quartile.
constexpr float step = 0.05F;

}  // namespace

void ConcurrencyLimit::Pace::add(float seconds) noexcept {
    ++samples;
    ++fresh;
    if (samples == 1) {
        lower = upper = seconds;
        return;
    }
    lower *= seconds < lower ? 1 - 0.75F * step : 1 + 0.25F * step;
    upper *= seconds < upper ? 1 - 0.25F * step : 1 + 0.75F * step;
    upper = std::max(upper, lower);
    if (samples >= enough) best = best == 0 ? lower : std::min(best, lower);
}

void ConcurrencyLimit::Pace::forget() noexcept {
    best = best_before = samples >= enough ? lower : 0;
}

float ConcurrencyLimit::Pace::base() const noexcept {
    if (best == 0 || best_before == 0) return std::max(best, best_before);
    return std::min(best, best_before);
}

/// Up to 256 tokens, 1,024, 4,096, 16,384, 65,536 and more.
std::size_t ConcurrencyLimit::size_class(std::uint64_t prompt) noexcept {
    const auto bits = static_cast<std::size_t>(std::bit_width(prompt >> 8U));
    return std::min<std::size_t>((bits + 1) / 2, 5);
}

void ConcurrencyLimit::turn_epoch(Mono now) noexcept {
    if (now - epoch_began_ < epoch) return;
    const bool one = now - epoch_began_ < 2 * epoch;
    epoch_began_ = now;
    for (Pace& pace : paces_) pace.best_before = one ? std::exchange(pace.best, 0.F) : (pace.best = 0);
}

ConcurrencyLimit::Change ConcurrencyLimit::cut(float factor, std::uint32_t in_flight, Mono now) noexcept {
    const std::uint32_t from = limit_ == 0 ? in_flight : std::min(limit_, in_flight);
    const Change change = limit_ == 0 ? Change::begins : Change::none;
    limit_ = std::max(static_cast<std::uint32_t>(static_cast<float>(from) * factor), least);
    credit_ = 0;
    cut_at_ = sign_at_ = now;
    for (Pace& pace : paces_) pace.fresh = 0;
    return change;
}

ConcurrencyLimit::Change ConcurrencyLimit::served(const Seen& seen, Mono kept_away, Mono now) noexcept {
    if (seen.client == refused_client_) served_since_ = true;
    if (limit_ == 0) return Change::none;
    if (now - sign_at_ > quiet && now - kept_away > quiet) {
        limit_ = 0;
        return Change::ends;
    }
    // Only what was in use is known to be sustained.
    if (seen.sent < cut_at_ || seen.in_flight < limit_ - limit_ / 4) return Change::none;
    if (++credit_ >= limit_) {
        credit_ = 0;
        limit_ += std::max(limit_ / round_part, 1U);
    }
    return Change::none;
}

ConcurrencyLimit::Change ConcurrencyLimit::refused(const Seen& seen, Mono now) noexcept {
    const bool its_own = limit_ != 0 && seen.client == refused_client_ && !served_since_;
    // With much less than the limit in flight, the limit is not what was wrong.
    if (seen.in_flight <= least || seen.in_flight < limit_ / 2) return Change::none;
    refused_client_ = seen.client;
    served_since_ = false;
    if (its_own || seen.sent < cut_at_) return Change::none;
    by_pace_ = false;
    ratio_at_cut_ = 0;
    return cut(refusal_cut, seen.in_flight, now);
}

ConcurrencyLimit::Change ConcurrencyLimit::first_token(const Seen& seen, std::uint64_t prompt, Duration took,
                                                       Mono now) noexcept {
    turn_epoch(now);
    if (seen.sent < cut_at_) return Change::none;
    const std::size_t number = size_class(prompt);
    Pace& pace = paces_[number];
    pace.add(std::max(static_cast<float>(to_seconds(took)), 0.001F));
    const float base = pace.base();
    if (base == 0 || pace.fresh < enough || pace.upper > widest * pace.lower) return Change::none;
    const float ratio = pace.lower / base;
    const bool futile = by_pace_ && ratio_at_cut_ > 0 && cut_class_ == number && ratio > late &&
                        ratio > no_sooner * ratio_at_cut_;
    if (futile) {
        ratio_at_cut_ = 0;
        for (Pace& p : paces_) p.forget();
        limit_ = 0;
        return Change::ends;
    }
    if (ratio <= late || seen.in_flight <= least || seen.in_flight < limit_ / 2) return Change::none;
    by_pace_ = limit_ == 0 || by_pace_;
    ratio_at_cut_ = ratio;
    cut_class_ = number;
    return cut(std::clamp(in_time / ratio, deepest_cut, smallest_cut), seen.in_flight, now);
}

}  // namespace spillway::routing
