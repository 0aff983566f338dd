#include "routing/backend_state.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "config/served_models.hpp"

namespace spillway::routing {
namespace {

using State = BackendView::State;
using Standing = CircuitBreaker::Standing;

State state_of(const CircuitBreaker::Look& look) noexcept {
    switch (look.standing) {
        case Standing::closed:
        case Standing::ramp_full:
            return State::available;
        case Standing::probe_ready:
        case Standing::probe_overdue:
        case Standing::probing:
            return State::probing;
        case Standing::cooling:
            break;
    }
    if (look.reason == Reason::throttled || look.reason == Reason::no_quota) return State::throttled;
    return look.reason == Reason::unauthorized ? State::unauthorized : State::failed;
}

bool is_cooling(const CircuitBreaker& breaker, Mono now) noexcept {
    return breaker.look(now, 0).standing == Standing::cooling;
}

/// The one that keeps requests away for longer.
CircuitBreaker::Look worse(const CircuitBreaker::Look& a, const CircuitBreaker::Look& b) noexcept {
    if (state_of(a) == State::available) return b;
    return state_of(b) == State::available || a.wait >= b.wait ? a : b;
}

/// The limit by the minute and what is left of the current window.
void show_meter(const quota::MeterLevel& meter, Mono now, std::optional<std::uint64_t>& per_minute,
                std::optional<std::int64_t>& remaining, Duration& window, Duration& reset) {
    if (meter.basis() == quota::Basis::none || meter.limit() == 0) return;
    const double windows = 60 / to_seconds(meter.length());
    per_minute = static_cast<std::uint64_t>(std::llround(windows * static_cast<double>(meter.limit())));
    const auto limit = static_cast<std::int64_t>(meter.limit());
    remaining = std::max<std::int64_t>(limit - static_cast<std::int64_t>(meter.used(now)), 0);
    window = meter.length();
    reset = meter.headroom(meter.limit(), now).wait;
}

/// Clocks differ by milliseconds and reports take a while: ends of cool-downs this near are the same one.
constexpr Duration same_end = std::chrono::milliseconds(250);

/// How long the breaker stays open for a reason found out here.
void report_own(const CircuitBreaker& breaker, const std::atomic<std::int64_t>& merged, Mono now,
                quota::PeerReport& report) {
    const auto look = breaker.look(now, 0);
    const Mono others_end(Duration(merged.load(std::memory_order_relaxed)));
    if (look.standing != Standing::cooling || now + look.wait <= others_end + same_end) return;
    report.cooling = look.wait;
    report.reason = static_cast<std::uint8_t>(look.reason);
}

void merge_cooling(CircuitBreaker& breaker, std::atomic<std::int64_t>& merged,
                   const quota::PeerReport& observed, Mono now) noexcept {
    const auto look = breaker.look(now, 0);
    const Duration known = look.standing == Standing::cooling ? look.wait : Duration::zero();
    if (observed.cooling <= known + same_end || observed.reason > static_cast<std::uint8_t>(Reason::no_quota))
        return;
    const Mono until = now + observed.cooling;
    merged.store(until.time_since_epoch().count(), std::memory_order_relaxed);
    (void)breaker.rest(static_cast<Reason>(observed.reason), now, until);
}

/// The credential has no place here: routing knows no socket.
config::BackendConfig without_key(config::BackendConfig config) {
    config.api_key = {};
    return config;
}

/// Does what is known of the one hold for the other?
bool same_resource(const config::BackendConfig& a, const config::BackendConfig& b) {
    return a.name == b.name && a.url == b.url && a.kind == b.kind && a.deployment == b.deployment &&
           a.deployments == b.deployments;
}
bool same_quota(const config::BackendConfig& a, const config::BackendConfig& b) {
    return a.tpm == b.tpm && a.rpm == b.rpm && a.ptu == b.ptu;
}

void copy(std::atomic<std::uint64_t>& to, const std::atomic<std::uint64_t>& from) noexcept {
    to.store(from.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

}  // namespace

BackendState::BackendState(const config::BackendConfig& from, std::uint32_t numbers)
    : weight(from.weight),
      priority(from.priority),
      hash(std::hash<std::string>{}(from.name)),
      by_number_(numbers),
      config(without_key(from)) {}

void BackendState::adopt(const BackendState& old) {
    if (config.name != old.config.name) return;
    mode.store(old.mode.load(std::memory_order_relaxed), std::memory_order_relaxed);
    for (const auto& [to, from] : {std::pair{&served, &old.served}, std::pair{&throttled, &old.throttled},
                                   std::pair{&failed, &old.failed}, std::pair{&spilled, &old.spilled},
                                   std::pair{&tokens, &old.tokens}, std::pair{&avoided, &old.avoided}})
        copy(*to, *from);
    first_byte_us.store(old.first_byte_us.load(std::memory_order_relaxed), std::memory_order_relaxed);
    if (!same_resource(config, old.config)) return;
    breaker.copy(old.breaker);
    for (std::size_t i = 0; i < operations.size(); ++i) operations[i].copy(old.operations[i]);
    noted_operations.store(old.noted_operations.load(std::memory_order_relaxed), std::memory_order_relaxed);
    const std::scoped_lock lock(mutex_, old.mutex_);
    detail_ = old.detail_;
    if (!same_quota(config, old.config)) return;
    adopted_ = old.slots_;
    for (const auto& s : adopted_) ++s->users;  // the router before must not give them other names
}

void BackendState::adopted() {
    const std::scoped_lock lock(mutex_);
    for (const auto& s : adopted_) --s->users;
    adopted_.clear();
}

Slot& BackendState::slot_called(std::string_view name) {
    const auto called = [&](const auto& s) { return s->name == name; };
    if (const auto known = std::ranges::find_if(slots_, called); known != slots_.end()) return **known;
    if (const auto old = std::ranges::find_if(adopted_, called); old != adopted_.end()) {
        slots_.push_back(std::move(*old));
        adopted_.erase(old);
        return *slots_.back();
    }
    const auto unused = [](const auto& s) {
        return s->users == 0 && s->in_flight.load(std::memory_order_relaxed) == 0;
    };
    if (const auto free = std::ranges::find_if(slots_, unused); free != slots_.end()) {
        (*free)->rename(std::string(name));
        return **free;
    }
    slots_.push_back(std::make_shared<Slot>(std::string(name), config));
    return *slots_.back();
}

void BackendState::set_slot(std::uint32_t number, std::optional<std::string_view> requested) {
    const std::scoped_lock lock(mutex_);
    if (Slot* const before = by_number_[number].load(std::memory_order_relaxed)) --before->users;
    if (requested && !config::serves(config, *requested)) {
        by_number_[number].store(nullptr, std::memory_order_release);
        return;
    }
    const std::string_view fixed = config.deployment;
    const std::string_view name =
        requested ? config::resolve_deployment(config, *requested) : (fixed.empty() ? "(others)" : fixed);
    Slot& slot = slot_called(name);
    slot.many = !requested && fixed.empty();
    ++slot.users;
    by_number_[number].store(&slot, std::memory_order_release);
}

bool BackendState::idle(std::uint32_t number) const noexcept {
    const Slot* const slot = slot_for(number);
    return slot == nullptr || slot->in_flight.load(std::memory_order_relaxed) == 0;
}

void BackendState::set_detail(std::string text) {
    const std::scoped_lock lock(mutex_);
    detail_ = std::move(text);
}

BackendView BackendState::view(Mono now) const {
    const std::scoped_lock lock(mutex_);
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

    std::optional<CircuitBreaker::Look> soonest;  // of the slots, if none of them is available
    bool any_available = false;
    for (const auto& kept : slots_) {
        const Slot& s = *kept;
        if (!s.asked.load(std::memory_order_relaxed)) continue;
        const auto look = worse(s.quota.look(now, 0), s.failures.look(now, 0));
        BackendView::Deployment d;
        d.name = s.name;
        d.state = state_of(look);
        d.until = look.wait;
        d.in_flight = s.in_flight.load(std::memory_order_relaxed);
        if (const auto most = s.most_in_flight.load(std::memory_order_relaxed); most != 0)
            d.most_in_flight = most;
        d.reserved_tokens = s.mirror.reserved();
        show_meter(s.mirror.tokens(), now, d.tpm, d.remaining_tokens, d.tokens_window, d.tokens_reset);
        show_meter(s.mirror.requests(), now, d.rpm, d.remaining_requests, d.requests_window,
                   d.requests_reset);
        v.deployments.push_back(std::move(d));
        if (state_of(look) == State::available) any_available = true;
        if (!soonest || look.wait < soonest->wait) soonest = look;
    }
    auto look = breaker.look(now, 0);
    // A backend is as well as the best of its deployments, and as the worst of its operations.
    if (state_of(look) == State::available && soonest && !any_available) look = *soonest;
    for (const CircuitBreaker& operation : operations) {
        const auto part = operation.look(now, 0);
        if (part.reason == Reason::unauthorized) look = worse(look, part);
    }
    v.mode = mode.load(std::memory_order_relaxed);
    v.state = state_of(look);
    if (v.mode != Mode::on) {
        v.state = v.mode == Mode::off ? State::disabled : State::draining;
        v.reason = to_string(v.state);
    } else if (v.state != State::available) {
        v.reason = to_string(look.reason);
        v.detail = detail_;
        v.until = look.wait;
    }
    return v;
}

void BackendState::report(std::vector<quota::PeerReport>& out, Mono now) const {
    const std::scoped_lock lock(mutex_);
    quota::PeerReport whole;
    whole.backend = config.name;
    report_own(breaker, merged, now, whole);
    out.push_back(std::move(whole));
    for (const auto& s : slots_) {
        if (!s->asked.load(std::memory_order_relaxed)) continue;
        quota::PeerReport one;
        one.backend = config.name;
        one.deployment = s->name;
        const auto sent = s->mirror.sent();
        one.tokens = sent.tokens;
        one.requests = sent.requests;
        report_own(s->quota, s->merged, now, one);
        out.push_back(std::move(one));
    }
}

void BackendState::merge(const quota::PeerReport& observed, Mono now) noexcept {
    if (observed.backend != config.name) return;
    if (observed.deployment.empty()) return merge_cooling(breaker, merged, observed, now);
    const std::scoped_lock lock(mutex_);
    const bool known =
        std::ranges::any_of(slots_, [&](const auto& s) { return s->name == observed.deployment; });
    // That it is out of service is worth knowing before the first request for it.
    if (!known && observed.cooling <= Duration::zero()) return;
    Slot& slot = slot_called(observed.deployment);
    slot.mirror.others_sent({observed.tokens, observed.requests}, now);
    merge_cooling(slot.quota, slot.merged, observed, now);
}

bool BackendState::ready(Mono now) const noexcept {
    if (!on() || is_cooling(breaker, now)) return false;
    const std::scoped_lock lock(mutex_);
    bool any_asked = false;
    for (const auto& s : slots_) {
        if (!s->asked.load(std::memory_order_relaxed)) continue;
        if (!is_cooling(s->quota, now) && !is_cooling(s->failures, now)) return true;
        any_asked = true;
    }
    return !any_asked;
}

}  // namespace spillway::routing
