#include "routing/backend_state.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

namespace spillway::routing {
namespace {

using State = BackendView::State;

State state_of(const Availability::Look& look) noexcept {
    switch (look.standing) {
        case Availability::Standing::open:
        case Availability::Standing::ramp_full:
            return State::available;
        case Availability::Standing::probe_ready:
        case Availability::Standing::probe_overdue:
        case Availability::Standing::probing:
            return State::probing;
        case Availability::Standing::cooling:
            break;
    }
    if (look.reason == TripReason::throttled) return State::throttled;
    return look.reason == TripReason::unauthorized ? State::unauthorized : State::failed;
}

/// The limit by the minute and what is left of the current window.
void tell(const quota::Meter& meter, Mono now, std::optional<std::uint64_t>& per_minute,
          std::optional<std::int64_t>& remaining, Duration& reset) {
    if (meter.basis() == quota::Basis::none || meter.limit() == 0) return;
    const double windows = 60 / to_seconds(meter.length());
    per_minute = static_cast<std::uint64_t>(std::llround(windows * static_cast<double>(meter.limit())));
    const auto limit = static_cast<std::int64_t>(meter.limit());
    remaining = std::max<std::int64_t>(limit - static_cast<std::int64_t>(meter.used(now)), 0);
    reset = meter.room(meter.limit(), now).wait;
}

/// Clocks are told in milliseconds and reports take a while: ends of cool-downs this near are the same one.
constexpr Duration same_end = std::chrono::milliseconds(250);

/// How long the gate stays closed for a reason found out here.
void tell_own(const Availability& gate, const std::atomic<std::int64_t>& heard, Mono now,
              quota::PeerReport& report) {
    const auto look = gate.look(now, 0);
    const Mono others_end(Duration(heard.load(std::memory_order_relaxed)));
    if (look.standing != Availability::Standing::cooling || now + look.wait <= others_end + same_end) return;
    report.cooling = look.wait;
    report.reason = static_cast<std::uint8_t>(look.reason);
}

void heed_cooling(Availability& gate, std::atomic<std::int64_t>& heard, const quota::PeerNews& news,
                  Mono now) noexcept {
    const auto look = gate.look(now, 0);
    const Duration known = look.standing == Availability::Standing::cooling ? look.wait : Duration::zero();
    if (news.cooling <= known + same_end || news.reason > static_cast<std::uint8_t>(TripReason::broken))
        return;
    const Mono until = now + news.cooling;
    heard.store(until.time_since_epoch().count(), std::memory_order_relaxed);
    gate.trip(static_cast<TripReason>(news.reason), now, until);
}

/// The credential has no place here: routing knows no socket.
config::BackendConfig without_key(config::BackendConfig config) {
    config.api_key = {};
    return config;
}

}  // namespace

BackendState::BackendState(const config::BackendConfig& from, std::uint32_t numbers)
    : weight(from.weight),
      priority(from.priority),
      hash(std::hash<std::string>{}(from.name)),
      by_number_(numbers),
      config(without_key(from)),
      slots_(std::size_t{numbers} + 1) {}

void BackendState::add_slot(std::uint32_t number, std::optional<std::string_view> requested) {
    const std::string_view fixed = config.deployment;
    const std::string_view name =
        requested ? config::resolve_deployment(config, *requested) : (fixed.empty() ? "(others)" : fixed);
    const auto known =
        std::find_if(owned_.begin(), owned_.end(), [&](const auto& s) { return s->name == name; });
    if (known != owned_.end()) {
        by_number_[number] = known->get();
        return;
    }
    const auto index = static_cast<std::uint32_t>(owned_.size());
    owned_.push_back(std::make_unique<Slot>(std::string(name), config));
    slots_[index].store(owned_.back().get(), std::memory_order_release);
    by_number_[number] = owned_.back().get();
    slot_count_.store(index + 1, std::memory_order_release);
}

BackendView BackendState::view(Mono now) const {
    BackendView v;
    v.name = config.name;
    v.priority = config.priority;
    v.weight = config.weight;
    v.in_flight = in_flight.load(std::memory_order_relaxed);
    v.served = served.load(std::memory_order_relaxed);
    v.throttled = throttled.load(std::memory_order_relaxed);
    v.failed = failed.load(std::memory_order_relaxed);
    v.spilled = spilled.load(std::memory_order_relaxed);
    v.avoided = static_cast<double>(avoided.load(std::memory_order_relaxed)) / 1e6;
    v.tokens = tokens.load(std::memory_order_relaxed);
    v.first_byte_total = std::chrono::microseconds(first_byte_us.load(std::memory_order_relaxed));

    std::optional<Availability::Look> soonest;  // of the slots, if none of them is available
    bool any_available = false;
    for (std::uint32_t i = 0; i < slot_count(); ++i) {
        const Slot& s = slot(i);
        if (!s.asked.load(std::memory_order_relaxed)) continue;
        const auto look = s.gate.look(now, 0);
        BackendView::Deployment d;
        d.name = s.name;
        d.state = state_of(look);
        d.until = look.wait;
        d.in_flight = s.in_flight.load(std::memory_order_relaxed);
        d.reserved_tokens = s.mirror.reserved();
        tell(s.mirror.tokens(), now, d.tpm, d.remaining_tokens, d.tokens_reset);
        tell(s.mirror.requests(), now, d.rpm, d.remaining_requests, d.requests_reset);
        v.deployments.push_back(std::move(d));
        if (state_of(look) == State::available) any_available = true;
        if (!soonest || look.wait < soonest->wait) soonest = look;
    }
    auto look = gate.look(now, 0);
    // A backend is as well as the best of its deployments.
    if (state_of(look) == State::available && soonest && !any_available) look = *soonest;
    v.mode = mode.load(std::memory_order_relaxed);
    v.state = state_of(look);
    if (v.mode != Mode::on) {
        v.state = v.mode == Mode::off ? State::disabled : State::draining;
        v.reason = to_string(v.state);
    } else if (v.state != State::available) {
        v.reason = to_string(look.reason);
        v.until = look.wait;
    }
    return v;
}

void BackendState::report(std::vector<quota::PeerReport>& out, Mono now) const {
    quota::PeerReport whole;
    whole.backend = config.name;
    tell_own(gate, heard, now, whole);
    out.push_back(std::move(whole));
    for (std::uint32_t i = 0; i < slot_count(); ++i) {
        const Slot& s = slot(i);
        if (!s.asked.load(std::memory_order_relaxed)) continue;
        quota::PeerReport one;
        one.backend = config.name;
        one.deployment = s.name;
        const auto sent = s.mirror.sent();
        one.tokens = sent.tokens;
        one.requests = sent.requests;
        tell_own(s.gate, s.heard, now, one);
        out.push_back(std::move(one));
    }
}

void BackendState::heed(const quota::PeerNews& news, Mono now) noexcept {
    if (news.backend != config.name) return;
    if (news.deployment.empty()) return heed_cooling(gate, heard, news, now);
    for (std::uint32_t i = 0; i < slot_count(); ++i) {
        Slot& s = slot(i);
        if (s.name != news.deployment) continue;
        s.mirror.others_sent({news.tokens, news.requests}, now);
        heed_cooling(s.gate, s.heard, news, now);
    }
}

bool BackendState::ready(Mono now) const noexcept {
    if (!on()) return false;
    const auto out = [](Availability::Standing s) { return s == Availability::Standing::cooling; };
    if (out(gate.look(now, 0).standing)) return false;
    bool any_asked = false;
    for (std::uint32_t i = 0; i < slot_count(); ++i) {
        const Slot& s = slot(i);
        if (!s.asked.load(std::memory_order_relaxed)) continue;
        if (!out(s.gate.look(now, 0).standing)) return true;
        any_asked = true;
    }
    return !any_asked;
}

}  // namespace spillway::routing
