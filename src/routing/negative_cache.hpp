#pragma once
/// Which operations of a deployment a backend was found not to have. Remembered
/// for some minutes, and only used while another backend can be asked.
///
/// Thread rule: any thread; one atomic word, no lock. Errors: none.
#include <atomic>
#include <cstdint>

#include "base/clock.hpp"
#include "routing/backend_index.hpp"

namespace spillway::routing {

class NegativeCache {
public:
    static constexpr Duration believed = std::chrono::minutes(5);

    [[nodiscard]] bool lacks(OperationIndex operation, Mono now) const noexcept {
        const std::uint64_t word = word_.load(std::memory_order_relaxed);
        if (word == 0) return false;
        return (word & bit(operation)) != 0 && ms_of(now) < static_cast<std::int64_t>(word >> bits);
    }
    void learn(OperationIndex operation, Mono now) noexcept { put(bit(operation), now); }
    /// It has been found after all.
    void forget() noexcept {
        if (word_.load(std::memory_order_relaxed) != 0) word_.store(0, std::memory_order_relaxed);
    }

private:
    /// until in ms:48 | an operation each:16
    static constexpr unsigned bits = 16;

    [[nodiscard]] static std::uint64_t bit(OperationIndex operation) noexcept {
        return std::uint64_t{1} << (operation % max_operations);
    }
    [[nodiscard]] static std::int64_t ms_of(Mono t) noexcept {
        return t.time_since_epoch() / std::chrono::milliseconds(1);
    }
    void put(std::uint64_t what, Mono now) noexcept {
        std::uint64_t old = word_.load(std::memory_order_relaxed);
        const auto until = static_cast<std::uint64_t>(ms_of(now + believed));
        for (;;) {
            const bool over = ms_of(now) >= static_cast<std::int64_t>(old >> bits);
            const std::uint64_t known = over ? 0 : old & ((std::uint64_t{1} << bits) - 1);
            if (word_.compare_exchange_weak(old, (until << bits) | known | what, std::memory_order_relaxed))
                return;
        }
    }

    std::atomic<std::uint64_t> word_{0};
};

}  // namespace spillway::routing
