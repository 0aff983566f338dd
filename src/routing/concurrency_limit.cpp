#include "routing/concurrency_limit.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace spillway::routing {
namespace {

constexpr float refusal_cut = 0.95F;
/// Of a cut for late first tokens: to where they should be well in time.
constexpr float in_time = 1.6F;
constexpr float deepest_cut = 0.2F;
constexpr float smallest_cut = 0.8F;
/// A cut of that much makes a queue's first tokens come sooner by more than this.
constexpr float no_sooner = 0.9F;
/// The limit is in use when so much of it is in flight.
constexpr float used = 0.7F;
/// A round adds this part of the limit, at least one.
constexpr std::uint32_t round_part = 16;
/// A step of the median; and one after so many samples on one side of it.
constexpr float step = 0.02F;
constexpr float fast_step = 0.1F;
constexpr std::int32_t long_run = 14;
/// … and the first after a cut, from which on they become smaller.
constexpr float first_step = 0.5F;
constexpr float load_weight = 8;
/// Samples that the deviation is a mean of, while the median is no more than this above the base.
constexpr std::uint32_t most_weighed = 128;
constexpr float calm = 1.3F;

}  // namespace

void ConcurrencyLimit::Pace::add(float seconds, std::uint32_t in_flight) noexcept {
    ++samples;
    const auto n = static_cast<float>(in_flight);
    if (fresh++ == 0) {
        middle = seconds;
        load = n;
        run = 0;
        return;
    }
    load += (n - load) / load_weight;
    const float apart = std::log(seconds / middle);
    const bool above = apart > 0;
    run = above ? std::max(run, 0) + 1 : std::min(run, 0) - 1;
    const float by =
        std::max(std::abs(run) > long_run ? fast_step : step, first_step / static_cast<float>(fresh));
    middle *= above ? 1 + by : 1 - by;
    if (const float known = base(); known == 0 || middle < known * calm)
        deviation += (std::abs(apart) - deviation) / static_cast<float>(std::min(samples, most_weighed));
    if (fresh >= enough) best = best == 0 ? middle : std::min(best, middle);
}

void ConcurrencyLimit::Pace::accept() noexcept {
    if (base() != 0 && samples >= enough) accepted = middle;
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

ConcurrencyLimit::Change ConcurrencyLimit::cut(float factor, float in_flight, Mono now) noexcept {
    // Places that are kept free for others count as used.
    const auto limit = static_cast<float>(limit_);
    const float from = limit_ != 0 && in_flight > limit * used ? limit : in_flight;
    const Change change = limit_ == 0 ? Change::begins : Change::none;
    if (limit_ == 0 || helped_) before_ = static_cast<std::uint32_t>(limit_ == 0 ? 2 * from : from);
    helped_ = false;
    limit_ = std::max(static_cast<std::uint32_t>(from * factor), least);
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
        settled_ = 0;
        return Change::ends;
    }
    // Only what was in use is known to be sustained.
    if (seen.sent < cut_at_ || static_cast<float>(seen.in_flight) < static_cast<float>(limit_) * used)
        return Change::none;
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
    helped_ = true;
    settled_ = 0;
    return cut(refusal_cut, static_cast<float>(seen.in_flight), now);
}

ConcurrencyLimit::Change ConcurrencyLimit::first_token(const Seen& seen, std::uint64_t prompt, Duration took,
                                                       Mono now) noexcept {
    turn_epoch(now);
    if (seen.sent < cut_at_) return Change::none;
    const std::size_t number = size_class(prompt);
    Pace& pace = paces_[number];
    pace.add(std::max(static_cast<float>(to_seconds(took)), 0.001F), seen.in_flight);
    const float base = pace.base();
    if (base == 0 || pace.fresh % enough != 0 || pace.deviation > widest) return Change::none;
    const float ratio = pace.middle / base;
    if (ratio <= no_sooner * settled_) {
        settled_ = 0;
        helped_ = true;
    }
    // As it was: what had been accepted was the backend's doing, and is over.
    if (ratio <= late) pace.accepted = 0;
    if (pace.accepted != 0) pace.accepted = std::min(pace.accepted, pace.middle);
    if (ratio <= late || pace.middle <= late * pace.accepted) return Change::none;
    if (pace.load <= least || pace.load < static_cast<float>(limit_ / 2)) return Change::none;
    // Of two cuts, what is seen after the first tells what the second did.
    const bool again = limit_ != 0 && by_pace_ && cut_class_ == number;
    if (again && settled_ > 0 && ratio > no_sooner * settled_) {
        settled_ = 0;
        for (Pace& p : paces_) p.accept();
        limit_ = std::max(limit_, before_);
        return Change::none;
    }
    by_pace_ = limit_ == 0 || by_pace_;
    settled_ = again ? ratio : 0;
    cut_class_ = number;
    return cut(std::clamp(in_time / ratio, deepest_cut, smallest_cut), pace.load, now);
}

}  // namespace spillway::routing
