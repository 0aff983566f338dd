#pragma once
/// Requests that failed in the same way at two backends, so that the fault is most likely theirs. While one
/// is remembered, its failures are not held against a backend, and it is not retried elsewhere, so that a
/// client that sends it in a loop costs others neither backends nor retries.
///
/// A table of fixed size whose entries overwrite each other, so it may forget. Thread rule: any thread; one
/// atomic word per entry, no lock. Errors: none.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace spillway::routing {

class Suspects {
public:
    static constexpr Duration remembered = std::chrono::seconds(60);

    /// 0 means no fingerprint and is never a suspect.
    [[nodiscard]] bool has(std::uint64_t fingerprint, Mono now) const noexcept {
        if (fingerprint == 0) return false;
        const std::uint64_t word = place(fingerprint).load(std::memory_order_relaxed);
        return word != 0 && (word ^ fingerprint) >> 32U == 0 &&
               is_recent(static_cast<std::uint32_t>(word), now);
    }
    /// Whether there may be any. Without, and there hardly ever are, no fingerprint has to be computed.
    [[nodiscard]] bool any(Mono now) const noexcept {
        const std::uint32_t last = last_.load(std::memory_order_relaxed);
        return last != 0 && is_recent(last, now);
    }
    void add(std::uint64_t fingerprint, Mono now) noexcept {
        if (fingerprint == 0) return;
        last_.store(std::max(second_of(now), 1U), std::memory_order_relaxed);
        place(fingerprint).store((fingerprint >> 32U << 32U) | second_of(now), std::memory_order_relaxed);
    }
    /// It was served.
    void clear(std::uint64_t fingerprint, Mono now) noexcept {
        if (has(fingerprint, now)) place(fingerprint).store(0, std::memory_order_relaxed);
    }

private:
    static constexpr std::size_t size = 1024;

    [[nodiscard]] static std::uint32_t second_of(Mono now) noexcept {
        return static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::seconds(1));
    }
    [[nodiscard]] static bool is_recent(std::uint32_t second, Mono now) noexcept {
        return second_of(now) - second <= remembered / std::chrono::seconds(1);
    }
    [[nodiscard]] const std::atomic<std::uint64_t>& place(std::uint64_t fingerprint) const noexcept {
        return places_[fingerprint % size];
    }
    [[nodiscard]] std::atomic<std::uint64_t>& place(std::uint64_t fingerprint) noexcept {
        return places_[fingerprint % size];
    }

    std::atomic<std::uint32_t> last_{0};  ///< second in which one was added
    std::array<std::atomic<std::uint64_t>, size> places_{};
};

}  // namespace spillway::routing
