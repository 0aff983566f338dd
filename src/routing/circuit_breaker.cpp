#include "routing/circuit_breaker.hpp"

#include <algorithm>

namespace spillway::routing {
namespace {

enum class Phase : std::uint8_t { closed, cooling, probing, ramping };

/// phase:2 | reason:4 | ejections:5 | allow:7 | ms:46. `ms` is the end of a cool-down, the sending of a
/// probe, or the beginning of a ramp. Zero is closed.
struct State {
    Phase phase = Phase::closed;
    Reason reason = Reason::none;
    std::uint32_t ejections = 0;  ///< trips that followed each other
    std::uint32_t allow = 0;
    std::int64_t ms = 0;
};

constexpr unsigned ms_bits = 46;
constexpr std::uint64_t ms_mask = (std::uint64_t{1} << ms_bits) - 1;
constexpr std::uint32_t most_ejections = 31;

Phase phase_of(std::uint64_t w) noexcept {
    return static_cast<Phase>(w >> 62U);
}

State unpack(std::uint64_t w) noexcept {
    return {phase_of(w), static_cast<Reason>((w >> 58U) & 15U), static_cast<std::uint32_t>((w >> 53U) & 31U),
            static_cast<std::uint32_t>((w >> ms_bits) & 127U), static_cast<std::int64_t>(w & ms_mask)};
}

std::uint64_t pack(const State& s) noexcept {
    return (static_cast<std::uint64_t>(s.phase) << 62U) | (static_cast<std::uint64_t>(s.reason) << 58U) |
           (static_cast<std::uint64_t>(std::min(s.ejections, most_ejections)) << 53U) |
           (static_cast<std::uint64_t>(s.allow & 127U) << ms_bits) |
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

Duration ejection_time(std::uint32_t before, Duration most) noexcept {
    // 2¹⁶ s is beyond any cap.
    return std::min(most, CircuitBreaker::first_ejection * (1U << std::min(before, 16U)));
}

}  // namespace

CircuitBreaker::Look CircuitBreaker::look(Mono now, std::uint32_t in_flight) const noexcept {
    const State s = unpack(word_.load(std::memory_order_acquire));
    switch (s.phase) {
        case Phase::closed:
            break;
        case Phase::cooling:
            if (now < at_ms(s.ms)) return {Standing::cooling, s.reason, at_ms(s.ms) - now};
            return {Standing::probe_ready, s.reason, {}};
        case Phase::probing: {
            const Duration left = at_ms(s.ms) + probe_patience - now;
            if (s.reason == Reason::throttled && left <= Duration::zero())
                return {Standing::probe_overdue, s.reason, {}};
            return {Standing::probing, s.reason, std::max(left, Duration(std::chrono::seconds(1)))};
        }
        case Phase::ramping:
            if (in_flight >= s.allow && now - at_ms(s.ms) < ramp_time)
                return {Standing::ramp_full, Reason::none, {}};
            break;
    }
    return {};
}

bool CircuitBreaker::try_probe(Mono now) noexcept {
    std::uint64_t old = word_.load(std::memory_order_acquire);
    const State s = unpack(old);
    const bool ready = s.phase == Phase::cooling && now >= at_ms(s.ms);
    const bool overdue = s.phase == Phase::probing && now >= at_ms(s.ms) + probe_patience;
    if (!ready && !overdue) return false;
    return word_.compare_exchange_strong(old, pack({Phase::probing, s.reason, s.ejections, 0, floor_ms(now)}),
                                         std::memory_order_acq_rel);
}

void CircuitBreaker::release_probe(Mono sent) noexcept {
    std::uint64_t old = word_.load(std::memory_order_acquire);
    const State s = unpack(old);
    // Another probe may have been sent after this one; then it decides.
    if (s.phase != Phase::probing || s.ms != floor_ms(sent)) return;
    word_.compare_exchange_strong(old, pack({Phase::cooling, s.reason, s.ejections, 0, s.ms}),
                                  std::memory_order_acq_rel);
}

bool CircuitBreaker::rest(Reason reason, Mono sent, Mono until) noexcept {
    if (floor_ms(sent) < recovered_.load(std::memory_order_acquire)) return false;
    std::uint64_t old = word_.load(std::memory_order_acquire);
    for (;;) {
        const State s = unpack(old);
        State next{Phase::cooling, reason, s.ejections, 0, ceil_ms(until)};
        if (s.phase == Phase::cooling && s.ms >= next.ms) next = s;
        if (word_.compare_exchange_weak(old, pack(next), std::memory_order_acq_rel))
            return s.phase == Phase::closed || s.phase == Phase::ramping;
    }
}

CircuitBreaker::Mark CircuitBreaker::trip(Reason reason, Mono sent, Mono now, Duration least,
                                          Duration most) noexcept {
    const std::int64_t recovered = recovered_.load(std::memory_order_acquire);
    if (floor_ms(sent) < recovered) return {};
    std::uint64_t old = word_.load(std::memory_order_acquire);
    for (;;) {
        const State s = unpack(old);
        if (s.phase == Phase::cooling && now < at_ms(s.ms)) return {};
        if (s.phase == Phase::probing && floor_ms(sent) < s.ms) return {};
        const bool well = (s.phase == Phase::closed || s.phase == Phase::ramping) && recovered != 0 &&
                          now - at_ms(recovered) >= forgiven_after;
        const std::uint32_t before = well ? 0 : s.ejections;
        const Duration out = std::clamp(least, ejection_time(before, most), most);
        const std::uint64_t next = pack({Phase::cooling, reason, before + 1, 0, ceil_ms(now + out)});
        if (word_.compare_exchange_weak(old, next, std::memory_order_acq_rel)) return {old, next};
    }
}

void CircuitBreaker::undo(const Mark& mark) noexcept {
    if (!mark.tripped()) return;
    std::uint64_t old = mark.after;
    word_.compare_exchange_strong(old, mark.before, std::memory_order_acq_rel);
}

bool CircuitBreaker::succeeded(Mono sent, Mono now) noexcept {
    std::uint64_t old = word_.load(std::memory_order_acquire);
    for (;;) {
        if (phase_of(old) == Phase::closed || phase_of(old) == Phase::cooling) return false;
        const State s = unpack(old);
        State next;
        next.ejections = s.ejections;
        const bool recovers = s.phase == Phase::probing && floor_ms(sent) >= s.ms;
        if (recovers) {
            // Requests sent before this moment know nothing newer than the probe does.
            recovered_.store(floor_ms(sent), std::memory_order_release);
            next = {Phase::ramping, Reason::none, s.ejections, 2, floor_ms(now)};
        } else if (s.phase == Phase::ramping) {
            const bool done = s.allow + 1 >= full_ramp || now - at_ms(s.ms) >= ramp_time;
            if (!done) next = {Phase::ramping, Reason::none, s.ejections, s.allow + 1, s.ms};
        } else {
            return false;
        }
        if (word_.compare_exchange_weak(old, pack(next), std::memory_order_acq_rel)) return recovers;
    }
}

bool CircuitBreaker::revive(Mono now) noexcept {
    std::uint64_t old = word_.load(std::memory_order_acquire);
    for (;;) {
        const State s = unpack(old);
        if (s.phase == Phase::closed || s.phase == Phase::ramping) return false;
        recovered_.store(floor_ms(now), std::memory_order_release);
        const std::uint64_t next = pack({Phase::ramping, Reason::none, s.ejections, 2, floor_ms(now)});
        if (word_.compare_exchange_weak(old, next, std::memory_order_acq_rel)) return true;
    }
}

bool CircuitBreaker::probed_by(Mono sent) const noexcept {
    const State s = unpack(word_.load(std::memory_order_acquire));
    return s.phase == Phase::probing && floor_ms(sent) >= s.ms;
}

void CircuitBreaker::reset() noexcept {
    word_.store(0, std::memory_order_release);
    recovered_.store(0, std::memory_order_release);
}

void CircuitBreaker::copy(const CircuitBreaker& other) noexcept {
    word_.store(other.word_.load(std::memory_order_acquire), std::memory_order_release);
    recovered_.store(other.recovered_.load(std::memory_order_acquire), std::memory_order_release);
}

}  // namespace spillway::routing
