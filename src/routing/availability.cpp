#include "routing/availability.hpp"

#include <algorithm>

namespace spillway::routing {
namespace {

enum class Phase : std::uint8_t { open, cooling, probing, ramping };

/// phase:2 | reason:3 | allow:11 | ms:48. `ms` is the end of a cool-down, the sending of a probe, or the
/// beginning of a ramp. Zero is open.
struct State {
    Phase phase = Phase::open;
    TripReason reason = TripReason::none;
    std::uint32_t allow = 0;
    std::int64_t ms = 0;
};

constexpr unsigned ms_bits = 48;
constexpr std::uint64_t ms_mask = (std::uint64_t{1} << ms_bits) - 1;

State unpack(std::uint64_t w) noexcept {
    return {static_cast<Phase>(w >> 62U), static_cast<TripReason>((w >> 59U) & 7U),
            static_cast<std::uint32_t>((w >> ms_bits) & 0x7ffU), static_cast<std::int64_t>(w & ms_mask)};
}

std::uint64_t pack(const State& s) noexcept {
    return (static_cast<std::uint64_t>(s.phase) << 62U) | (static_cast<std::uint64_t>(s.reason) << 59U) |
           (static_cast<std::uint64_t>(s.allow & 0x7ffU) << ms_bits) |
           (static_cast<std::uint64_t>(std::max<std::int64_t>(s.ms, 0)) & ms_mask);
}

std::int64_t floor_ms(Mono t) noexcept {
    return std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch()).count();
}
std::int64_t ceil_ms(Mono t) noexcept {
    return std::chrono::ceil<std::chrono::milliseconds>(t.time_since_epoch()).count();
}
Mono at_ms(std::int64_t ms) noexcept {
    return Mono(std::chrono::milliseconds(ms));
}

}  // namespace

std::string_view to_string(TripReason reason) noexcept {
    switch (reason) {
        case TripReason::throttled:
            return "429";
        case TripReason::unauthorized:
            return "401";
        case TripReason::server_error:
            return "5xx";
        case TripReason::connect_error:
            return "connect";
        case TripReason::timeout:
            return "timeout";
        case TripReason::broken:
            return "broken";
        case TripReason::none:
            break;
    }
    return "";
}

Availability::Look Availability::look(Mono now, std::uint32_t in_flight) const noexcept {
    const State s = unpack(word_.load(std::memory_order_acquire));
    switch (s.phase) {
        case Phase::open:
            break;
        case Phase::cooling:
            if (now < at_ms(s.ms)) return {Standing::cooling, s.reason, at_ms(s.ms) - now};
            return {Standing::probe_ready, s.reason, {}};
        case Phase::probing: {
            const Duration left = at_ms(s.ms) + probe_patience - now;
            if (s.reason == TripReason::throttled && left <= Duration::zero())
                return {Standing::probe_overdue, s.reason, {}};
            return {Standing::probing, s.reason, std::max(left, Duration(std::chrono::seconds(1)))};
        }
        case Phase::ramping:
            if (in_flight >= s.allow && now - at_ms(s.ms) < ramp_time)
                return {Standing::ramp_full, TripReason::none, {}};
            break;
    }
    return {};
}

bool Availability::try_probe(Mono now) noexcept {
    std::uint64_t old = word_.load(std::memory_order_acquire);
    const State s = unpack(old);
    const bool ready = s.phase == Phase::cooling && now >= at_ms(s.ms);
    const bool overdue = s.phase == Phase::probing && now >= at_ms(s.ms) + probe_patience;
    if (!ready && !overdue) return false;
    return word_.compare_exchange_strong(old, pack({Phase::probing, s.reason, 0, floor_ms(now)}),
                                         std::memory_order_acq_rel);
}

void Availability::release_probe(Mono sent) noexcept {
    std::uint64_t old = word_.load(std::memory_order_acquire);
    const State s = unpack(old);
    // Another probe may have been sent after this one; then it decides.
    if (s.phase != Phase::probing || s.ms != floor_ms(sent)) return;
    word_.compare_exchange_strong(old, pack({Phase::cooling, s.reason, 0, s.ms}), std::memory_order_acq_rel);
}

void Availability::trip(TripReason reason, Mono sent, Mono until) noexcept {
    if (floor_ms(sent) < recovered_.load(std::memory_order_acquire)) return;
    std::uint64_t old = word_.load(std::memory_order_acquire);
    for (;;) {
        const State s = unpack(old);
        State next{Phase::cooling, reason, 0, ceil_ms(until)};
        if (s.phase == Phase::cooling && s.ms >= next.ms) next = s;
        if (word_.compare_exchange_weak(old, pack(next), std::memory_order_acq_rel)) return;
    }
}

void Availability::succeeded(Mono sent, Mono now) noexcept {
    std::uint64_t old = word_.load(std::memory_order_acquire);
    for (;;) {
        const State s = unpack(old);
        State next;
        if (s.phase == Phase::probing && floor_ms(sent) >= s.ms) {
            // Requests sent before this moment know nothing newer than the probe does.
            recovered_.store(floor_ms(sent), std::memory_order_release);
            next = {Phase::ramping, TripReason::none, 2, floor_ms(now)};
        } else if (s.phase == Phase::ramping) {
            const bool done = s.allow + 1 >= full_ramp || now - at_ms(s.ms) >= ramp_time;
            if (!done) next = {Phase::ramping, TripReason::none, s.allow + 1, s.ms};
        } else {
            return;
        }
        if (word_.compare_exchange_weak(old, pack(next), std::memory_order_acq_rel)) return;
    }
}

}  // namespace spillway::routing
