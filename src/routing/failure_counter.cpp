#include "routing/failure_counter.hpp"

#include <algorithm>

namespace spillway::routing {
namespace {

/// row:4 | last:8 | failed:10 | all:10 | since:32. `last` is a part of the last failure's fingerprint, never
/// zero if there was one; `since` the second in which counting began.
struct Counts {
    std::uint32_t row = 0;
    std::uint32_t last = 0;
    std::uint32_t failed = 0;
    std::uint32_t all = 0;
    std::uint32_t since = 0;
};

constexpr std::uint32_t most = 1023;
constexpr std::uint32_t most_row = 15;

Counts unpack(std::uint64_t w) noexcept {
    return {static_cast<std::uint32_t>(w >> 60U), static_cast<std::uint32_t>((w >> 52U) & 255U),
            static_cast<std::uint32_t>((w >> 42U) & most), static_cast<std::uint32_t>((w >> 32U) & most),
            static_cast<std::uint32_t>(w)};
}
std::uint64_t pack(const Counts& c) noexcept {
    return (std::uint64_t{std::min(c.row, most_row)} << 60U) | (std::uint64_t{c.last & 255U} << 52U) |
           (std::uint64_t{std::min(c.failed, most)} << 42U) | (std::uint64_t{std::min(c.all, most)} << 32U) |
           c.since;
}

std::uint32_t second_of(Mono now) noexcept {
    return static_cast<std::uint32_t>(
        std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count());
}

/// Counts of long ago are of no interest, the row of failures is.
void forget_old(Counts& c, Mono now) noexcept {
    const auto second = second_of(now);
    const auto length = static_cast<std::uint32_t>(FailureCounter::recent / std::chrono::seconds(1));
    if (second - c.since < length) return;
    c.failed = c.all = 0;
    c.since = second;
}

}  // namespace

FailureCounter::Count FailureCounter::failed(std::uint64_t fingerprint, Mono now) noexcept {
    const auto part = static_cast<std::uint32_t>(fingerprint == 0 ? 0 : 1 + fingerprint % 255);
    std::uint64_t old = word_.load(std::memory_order_relaxed);
    for (;;) {
        Counts c = unpack(old);
        if (part != 0 && part == c.last && c.row > 0) return {};
        forget_old(c, now);
        c.last = part;
        ++c.row;
        ++c.failed;
        ++c.all;
        const bool enough = c.row >= in_a_row || (c.failed >= at_least && 2 * c.failed >= c.all);
        if (word_.compare_exchange_weak(old, pack(c), std::memory_order_relaxed)) return {true, enough};
    }
}

void FailureCounter::succeeded(Mono now) noexcept {
    std::uint64_t old = word_.load(std::memory_order_relaxed);
    while (old != 0) {
        Counts c = unpack(old);
        forget_old(c, now);
        c.row = c.last = 0;
        ++c.all;
        if (word_.compare_exchange_weak(old, c.failed == 0 ? 0 : pack(c), std::memory_order_relaxed)) return;
    }
}

void FailureCounter::undo() noexcept {
    std::uint64_t old = word_.load(std::memory_order_relaxed);
    while (old != 0) {
        Counts c = unpack(old);
        if (c.row > 0) --c.row;
        if (c.failed > 0) --c.failed;
        if (c.all > 0) --c.all;
        c.last = 0;
        if (word_.compare_exchange_weak(old, pack(c), std::memory_order_relaxed)) return;
    }
}

}  // namespace spillway::routing
