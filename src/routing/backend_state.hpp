#pragma once
/// The live state of one backend and of its deployments (slots). Internal to the Router.
///
/// Ownership: slots are shared with the router before and after a reload. Thread rule: reading and counting
/// from any thread; set_slot() only under the deployment table's lock. Errors: none.
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/backend.hpp"
#include "quota/peers.hpp"
#include "routing/backend_index.hpp"
#include "routing/backend_memory.hpp"
#include "routing/backend_view.hpp"
#include "routing/circuit_breaker.hpp"
#include "routing/slot.hpp"

namespace spillway::routing {

class alignas(64) BackendState {
public:
    BackendState(const config::BackendConfig& config, std::uint32_t numbers);

    /// Takes over what `old` knows about the same backend: breakers, counts, mode, and its slots with their
    /// state. Call before any set_slot(). Does nothing if the two are not the same resource.
    void adopt(const BackendState& old);
    /// Call when all earlier names have been set: releases the slots that none of them uses.
    void adopted();

    /// Assigns `requested` to `number` (nullopt: all names beyond the bound).
    void set_slot(std::uint32_t number, std::optional<std::string_view> requested);
    /// Whether no request is in flight for `number`.
    [[nodiscard]] bool idle(std::uint32_t number) const noexcept;

    /// The slot that serves requests for `number`; nullptr if the configuration excludes it.
    [[nodiscard]] Slot* slot_for(std::uint32_t number) const noexcept {
        return by_number_[number].load(std::memory_order_acquire);
    }

    [[nodiscard]] BackendView view(Mono now) const;
    /// Appends this replica's own findings for the others: on the backend and on each deployment requested.
    void report(std::vector<quota::PeerReport>& out, Mono now) const;
    /// Merges what others observed. A cool-down that they report is not reported on.
    void merge(const quota::PeerReport& observed, Mono now) noexcept;
    /// For another process, and what another one knew (routing/backend_memory.hpp).
    [[nodiscard]] BackendMemory memory(Mono now) const;
    void remember(const BackendMemory& memory, Mono now);
    [[nodiscard]] bool on() const noexcept { return mode.load(std::memory_order_relaxed) == Mode::on; }
    /// Whether any request could use this backend.
    [[nodiscard]] bool ready(Mono now) const noexcept;
    /// The breaker of an operation that was ever refused as a whole; nullptr if it never was.
    [[nodiscard]] const CircuitBreaker* noted(OperationIndex operation) const noexcept {
        const unsigned bits = noted_operations.load(std::memory_order_acquire);
        return (bits >> operation & 1U) != 0 ? &operations[operation] : nullptr;
    }
    void note(OperationIndex operation) noexcept {
        noted_operations.fetch_or(1U << operation, std::memory_order_acq_rel);
    }
    void set_detail(std::string text);

    // Read whenever the backend is examined: one cache line, up to by_number_.
    CircuitBreaker breaker;
    std::atomic<Mode> mode{Mode::on};
    std::atomic<std::uint32_t> noted_operations{0};
    std::atomic<std::uint32_t> in_flight{0};
    const std::uint32_t weight;
    const std::uint32_t priority;
    const std::uint64_t hash;  ///< of its name

private:
    /// Set before anyone can find the number (DeploymentTable).
    std::vector<std::atomic<Slot*>> by_number_;

public:
    // Counted at each attempt's end.
    std::atomic<std::uint64_t> served{0}, throttled{0}, failed{0};
    std::atomic<std::uint64_t> spilled{0}, tokens{0};
    std::atomic<std::uint64_t> avoided{0};       ///< in millionths
    std::atomic<std::int64_t> first_byte_us{0};  ///< sum over served
    std::atomic<std::int64_t> merged{0};         ///< ns of Mono: end of the cool-down that others reported
    std::array<CircuitBreaker, max_operations> operations;
    const config::BackendConfig config;

private:
    [[nodiscard]] Slot& slot_called(std::string_view name);

    mutable std::mutex mutex_;  ///< for all below; never taken for a request
    std::vector<std::shared_ptr<Slot>> slots_;
    std::vector<std::shared_ptr<Slot>> adopted_;  ///< from the router before the reload, not yet used
    std::string detail_;
};

}  // namespace spillway::routing
