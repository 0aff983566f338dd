#pragma once
/// Three sums of a client's usage with the same interface: over the last minute, within a calendar period,
/// and at this moment. Each keeps its sum at or below a cap by compare-and-swap, so that no interleaving of
/// threads admits more than the cap.
///
///   try_add(n, cap, now)  adds n if the sum then stays within cap
///   add(n, now)           adds n unconditionally (shadow mode, or usage beyond the reservation)
///   give_back(n, then)    subtracts what was added at `then`, as far as it still counts
///   used(now)             the sum; never negative, never grows by itself
///
/// Units: tokens, requests or money (kMoneyUnit); n and sums are not negative.
/// Thread rule: every function from any thread; no locks, but for memory when the first amount comes.
/// Errors: none; amounts saturate.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/cache_line.hpp"
#include "base/clock.hpp"
#include "quota/period.hpp"

namespace spillway::quota {

/// One moment on both clocks.
struct Now {
    Mono mono;
    Wall wall;
};
[[nodiscard]] inline Now read_clocks() noexcept {
    return {mono_now(), wall_now()};
}

/// Sum over the last 60 seconds. It slides in steps of a second: an amount counts for 60 to 61 seconds, so
/// that no span of 60 seconds ever exceeds the cap, which neither a counter reset each minute nor a token
/// bucket with a minute's burst can guarantee.
///
/// The seconds are allocated with the first amount: of many clients few have a limit on requests, or ask at
/// all.
class MinuteUsage {
public:
    static constexpr std::int64_t kSpanSeconds = 60;
    /// The most that one second can hold; amounts beyond it are not counted.
    static constexpr std::int64_t kMost = 0xffffffff;

    MinuteUsage() = default;
    MinuteUsage(const MinuteUsage&) = delete;
    MinuteUsage& operator=(const MinuteUsage&) = delete;
    ~MinuteUsage();

    [[nodiscard]] bool try_add(std::int64_t n, std::int64_t cap, Now now) noexcept;
    void add(std::int64_t n, Now now) noexcept;
    void give_back(std::int64_t n, Now then) noexcept;
    [[nodiscard]] std::int64_t used(Now now) noexcept;

    /// How long until n more fit under the cap if nothing else is added; zero if they fit now, the whole span
    /// if they never will.
    [[nodiscard]] Duration until_fits(std::int64_t n, std::int64_t cap, Now now) noexcept;
    /// How long until the sum is zero if nothing else is added.
    [[nodiscard]] Duration until_empty(Now now) noexcept;
    /// Where an amount that comes at `now` is filed; empty: nowhere yet.
    [[nodiscard]] std::span<const std::byte> place_of(Now now) const noexcept;

    /// What each second holds that still counts; seconds are of Mono, which processes of one machine share.
    struct Second {
        std::int64_t second = 0;
        std::int64_t amount = 0;
    };
    [[nodiscard]] std::vector<Second> seconds(Now now) const;
    /// Changes what `second` holds by `amount`, which may be negative; nothing if it counts no more.
    void change(const Second& by, Now now) noexcept;

private:
    static constexpr std::size_t kSlots = 64;
    /// Second (high half) and amount (low half): a slot is reused or emptied only together with its second,
    /// so that a delayed thread cannot add to or subtract from another second.
    using Slot = std::atomic<std::uint64_t>;
    struct alignas(kCacheLine) Slots {
        std::array<Slot, kSlots> of_second{};
        [[nodiscard]] Slot& operator[](std::int64_t second) noexcept {
            return of_second[static_cast<std::size_t>(second) % kSlots];
        }
    };
    [[nodiscard]] Slots* slots() const noexcept { return slots_.load(std::memory_order_acquire); }
    [[nodiscard]] Slots& made_slots() noexcept;
    void expire(std::int64_t second) noexcept;
    void put(std::int64_t n, std::int64_t second) noexcept;

    std::atomic<std::int64_t> used_{0};
    std::atomic<std::int64_t> expired_at_{-1};
    std::atomic<Slots*> slots_{nullptr};
};

/// Sum within a calendar period: a view of one word, so that the owner can keep many sums in a cache line.
class PeriodUsage {
public:
    /// The period's index modulo 2^16 (high) and the amount (48 bits).
    using Sum = std::atomic<std::uint64_t>;
    static constexpr std::int64_t kMost = (std::int64_t{1} << 48) - 1;
    /// `sum`, zero at first, must outlive it.
    PeriodUsage(Period period, Sum& sum) noexcept : sum_(&sum), period_(period) {}

    [[nodiscard]] bool try_add(std::int64_t n, std::int64_t cap, Now now) noexcept;
    void add(std::int64_t n, Now now) noexcept;
    void give_back(std::int64_t n, Now then) noexcept;
    /// As add(), for whoever knows the period's index.
    void add_in(std::int64_t index, std::int64_t n) noexcept;
    [[nodiscard]] std::int64_t used(Now now) const noexcept;
    [[nodiscard]] Period period() const noexcept { return period_; }
    [[nodiscard]] Duration until_empty(Now now) const noexcept {
        return period_begin(period_, period_index(period_, now.wall) + 1) - now.wall;
    }

private:
    Sum* sum_;
    Period period_;
};

/// The present number (of requests in flight).
class MomentUsage {
public:
    [[nodiscard]] bool try_add(std::int64_t n, std::int64_t cap, Now /*now*/) noexcept {
        std::int64_t before = used_.load(std::memory_order_relaxed);
        do {
            if (before + n > cap) return false;
        } while (!used_.compare_exchange_weak(before, before + n, std::memory_order_relaxed));
        return true;
    }
    void add(std::int64_t n, Now /*now*/) noexcept { used_.fetch_add(n, std::memory_order_relaxed); }
    void give_back(std::int64_t n, Now /*then*/) noexcept { used_.fetch_sub(n, std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t used(Now /*now*/) const noexcept {
        return used_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::int64_t> used_{0};
};

}  // namespace spillway::quota
