#include "quota/client_usage.hpp"

#include <algorithm>

#include "base/packed_heap.hpp"

namespace spillway::quota {
namespace {

constexpr unsigned kHalf = 32;

constexpr std::uint64_t pack(std::int64_t second, std::int64_t amount) noexcept {
    return (static_cast<std::uint64_t>(second) << kHalf) | static_cast<std::uint64_t>(amount);
}
constexpr std::int64_t second_of(std::uint64_t slot) noexcept {
    return static_cast<std::int64_t>(slot >> kHalf);
}
constexpr std::int64_t amount_of(std::uint64_t slot) noexcept {
    return static_cast<std::int64_t>(slot & 0xffffffffU);
}

std::int64_t whole_seconds(Mono t) noexcept {
    const std::int64_t s = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
    return std::clamp<std::int64_t>(s, 0, 0xffffffff);
}

constexpr unsigned kAmountBits = 48;

}  // namespace

MinuteUsage::~MinuteUsage() {
    const Packed<Slots> made(slots());
}

/// Of two threads that make them at once, one lets go of its own.
MinuteUsage::Slots& MinuteUsage::made_slots() noexcept {
    if (Slots* const made = slots()) return *made;
    Packed<Slots> mine = make_packed<Slots>();
    Slots* there = nullptr;
    if (slots_.compare_exchange_strong(there, mine.get(), std::memory_order_acq_rel)) return *mine.release();
    return *there;
}

void MinuteUsage::expire(std::int64_t second) noexcept {
    std::int64_t before = expired_at_.load(std::memory_order_relaxed);
    if (before >= second) return;
    // One thread cleans up for each second; the others may find the sum too high for an instant.
    if (!expired_at_.compare_exchange_strong(before, second, std::memory_order_relaxed)) return;
    Slots* const slots = this->slots();
    if (slots == nullptr) return;
    // Only the places whose second has passed since: each is looked at once in 64 seconds, and judged by what
    // is in it.
    const std::int64_t passed = std::min<std::int64_t>(second - before, kSlots);
    for (std::int64_t s = second - kSpanSeconds - passed; s < second - kSpanSeconds; ++s) {
        Slot& slot = (*slots)[s];
        std::uint64_t content = slot.load(std::memory_order_relaxed);
        while (amount_of(content) > 0 && second_of(content) + kSpanSeconds < second) {
            if (!slot.compare_exchange_weak(content, pack(second_of(content), 0), std::memory_order_relaxed))
                continue;
            used_.fetch_sub(amount_of(content), std::memory_order_relaxed);
            break;
        }
    }
}

/// Files an amount that used_ holds already.
void MinuteUsage::put(std::int64_t n, std::int64_t second) noexcept {
    Slot& slot = made_slots()[second];
    std::uint64_t content = slot.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t held = amount_of(content);
        // A slot of a later second: this thread was held up for a minute. Counting later errs on the safe
        // side.
        const bool old = second_of(content) < second;
        const std::int64_t sum = std::min(n + (old ? 0 : held), kMost);
        if (!slot.compare_exchange_weak(content, pack(old ? second : second_of(content), sum),
                                        std::memory_order_relaxed))
            continue;
        // What was left of an older second, or does not fit, counts no more.
        const std::int64_t dropped = n + held - sum;
        if (dropped > 0) used_.fetch_sub(dropped, std::memory_order_relaxed);
        return;
    }
}

bool MinuteUsage::try_add(std::int64_t n, std::int64_t cap, Now now) noexcept {
    const std::int64_t second = whole_seconds(now.mono);
    expire(second);
    std::int64_t before = used_.load(std::memory_order_relaxed);
    do {
        if (n > cap - before) return false;
    } while (!used_.compare_exchange_weak(before, before + n, std::memory_order_relaxed));
    if (n > 0) put(n, second);
    return true;
}

void MinuteUsage::add(std::int64_t n, Now now) noexcept {
    n = std::min(n, kMost);
    if (n <= 0) return;
    const std::int64_t second = whole_seconds(now.mono);
    expire(second);
    used_.fetch_add(n, std::memory_order_relaxed);
    put(n, second);
}

void MinuteUsage::give_back(std::int64_t n, Now then) noexcept {
    Slots* const slots = this->slots();
    if (slots == nullptr) return;
    const std::int64_t second = whole_seconds(then.mono);
    Slot& slot = (*slots)[second];
    std::uint64_t content = slot.load(std::memory_order_relaxed);
    while (n > 0 && second_of(content) == second && amount_of(content) > 0) {
        const std::int64_t taken = std::min(n, amount_of(content));
        if (!slot.compare_exchange_weak(content, content - static_cast<std::uint64_t>(taken),
                                        std::memory_order_relaxed))
            continue;
        used_.fetch_sub(taken, std::memory_order_relaxed);
        return;
    }
}

std::span<const std::byte> MinuteUsage::place_of(Now now) const noexcept {
    Slots* const slots = this->slots();
    if (slots == nullptr) return {};
    return std::as_bytes(std::span(&(*slots)[whole_seconds(now.mono)], 1));
}

std::int64_t MinuteUsage::used(Now now) noexcept {
    expire(whole_seconds(now.mono));
    return used_.load(std::memory_order_relaxed);
}

std::vector<MinuteUsage::Second> MinuteUsage::seconds(Now now) const {
    const std::int64_t second = whole_seconds(now.mono);
    std::vector<Second> out;
    const Slots* const slots = this->slots();
    if (slots == nullptr) return out;
    for (const Slot& slot : slots->of_second) {
        const std::uint64_t content = slot.load(std::memory_order_relaxed);
        if (amount_of(content) > 0 && second_of(content) + kSpanSeconds >= second)
            out.push_back({second_of(content), amount_of(content)});
    }
    return out;
}

void MinuteUsage::change(const Second& by, Now now) noexcept {
    const std::int64_t second = whole_seconds(now.mono);
    expire(second);
    // One that is about to go, or to come, might never be cleaned up.
    if (by.second + kSpanSeconds <= second || by.second > second + 1) return;
    const Now then{Mono(std::chrono::seconds(by.second)), now.wall};
    if (by.amount > 0)
        add(by.amount, then);
    else
        give_back(-by.amount, then);
}

namespace {
constexpr Duration whole = std::chrono::seconds(MinuteUsage::kSpanSeconds + 1);

/// When what was counted in `second` counts no more.
Duration until_gone(std::int64_t second, Now now) noexcept {
    const Mono free_at{std::chrono::seconds(second + MinuteUsage::kSpanSeconds + 1)};
    return std::clamp(free_at - now.mono, Duration(std::chrono::milliseconds(1)), whole);
}
}  // namespace

Duration MinuteUsage::until_empty(Now now) noexcept {
    if (used(now) <= 0) return {};
    Slots* const slots = this->slots();
    if (slots == nullptr) return whole;  // another thread is about to file it
    // The latest amount goes last. Another thread's clock may be in the next second already.
    for (std::int64_t second = whole_seconds(now.mono) + 1, left = kSpanSeconds + 2; left > 0 && second >= 0;
         --second, --left) {
        const std::uint64_t content = (*slots)[second].load(std::memory_order_relaxed);
        if (second_of(content) == second && amount_of(content) > 0) return until_gone(second, now);
    }
    return whole;
}

Duration MinuteUsage::until_fits(std::int64_t n, std::int64_t cap, Now now) noexcept {
    std::int64_t excess = used(now) + n - cap;
    if (excess <= 0) return {};
    const Slots* const slots = this->slots();
    if (slots == nullptr) return whole;
    std::array<std::uint64_t, kSlots> by_age;
    std::transform(slots->of_second.begin(), slots->of_second.end(), by_age.begin(),
                   [](const auto& slot) { return slot.load(std::memory_order_relaxed); });
    std::sort(by_age.begin(), by_age.end());
    for (const std::uint64_t content : by_age) {
        excess -= amount_of(content);
        if (excess > 0 || amount_of(content) == 0) continue;
        return until_gone(second_of(content), now);
    }
    return whole;
}

namespace {

struct PeriodState {
    std::uint16_t index;
    std::int64_t amount;
};
constexpr PeriodState unpack(std::uint64_t state) noexcept {
    return {static_cast<std::uint16_t>(state >> kAmountBits),
            static_cast<std::int64_t>(state & static_cast<std::uint64_t>(PeriodUsage::kMost))};
}
constexpr std::uint64_t pack(PeriodState s) noexcept {
    return (std::uint64_t{s.index} << kAmountBits) | static_cast<std::uint64_t>(s.amount);
}
std::uint16_t short_index(Period period, Wall now) noexcept {
    return static_cast<std::uint16_t>(period_index(period, now));
}
/// Whether the state is of a period before `index`. One that is of a later period (another thread's clock
/// was read across the boundary) goes on.
constexpr bool is_past(PeriodState state, std::uint16_t index) noexcept {
    return state.amount == 0 || static_cast<std::int16_t>(index - state.index) > 0;
}

}  // namespace

bool PeriodUsage::try_add(std::int64_t n, std::int64_t cap, Now now) noexcept {
    const std::uint16_t index = short_index(period_, now.wall);
    std::uint64_t before = sum_->load(std::memory_order_relaxed);
    PeriodState next{};
    do {
        next = unpack(before);
        if (is_past(next, index)) next = {index, 0};
        if (n > cap - next.amount) return false;
        next.amount = std::min(next.amount + n, kMost);
    } while (!sum_->compare_exchange_weak(before, pack(next), std::memory_order_relaxed));
    return true;
}

void PeriodUsage::add(std::int64_t n, Now now) noexcept {
    add_in(period_index(period_, now.wall), n);
}

void PeriodUsage::add_in(std::int64_t index, std::int64_t n) noexcept {
    n = std::clamp<std::int64_t>(n, 0, kMost);
    const auto short_index = static_cast<std::uint16_t>(index);
    std::uint64_t before = sum_->load(std::memory_order_relaxed);
    PeriodState next{};
    do {
        next = unpack(before);
        if (is_past(next, short_index)) next = {short_index, 0};
        next.amount = std::min(next.amount + n, kMost);
    } while (!sum_->compare_exchange_weak(before, pack(next), std::memory_order_relaxed));
}

void PeriodUsage::give_back(std::int64_t n, Now then) noexcept {
    const std::uint16_t index = short_index(period_, then.wall);
    std::uint64_t before = sum_->load(std::memory_order_relaxed);
    PeriodState next{};
    do {
        next = unpack(before);
        if (next.index != index) return;  // a new period began since
        next.amount -= std::min(n, next.amount);
    } while (!sum_->compare_exchange_weak(before, pack(next), std::memory_order_relaxed));
}

std::int64_t PeriodUsage::used(Now now) const noexcept {
    const PeriodState state = unpack(sum_->load(std::memory_order_relaxed));
    return is_past(state, short_index(period_, now.wall)) ? 0 : state.amount;
}

}  // namespace spillway::quota
