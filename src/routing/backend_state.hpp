#pragma once
/// The live state of one backend and of its deployments (slots), which the Router keeps.
///
/// Ownership: as many slots as there can be numbers; a slot lives as long as a router that has it. Thread
/// rule: reading and counting from any thread; set_slot() only under the deployment table's lock.
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
#include "routing/backend_view.hpp"
#include "routing/circuit_breaker.hpp"
#include "routing/slot.hpp"

namespace spillway::routing {

class alignas(64) BackendState {
public:
    BackendState(const config::BackendConfig& config, std::uint32_t numbers);

    /// What `old` knows of the same backend is taken over: breakers, counts, mode, and its slots with all
    /// they know. Before any set_slot(). Nothing happens if the two are not the same resource.
    void adopt(const BackendState& old);
    /// All names of before have been set: the slots that none of them took are let go.
    void adopted();

    /// Makes `number` mean `requested` (nullopt: all names beyond the bound).
    void set_slot(std::uint32_t number, std::optional<std::string_view> requested);
    /// Are no requests under way for `number`?
    [[nodiscard]] bool idle(std::uint32_t number) const noexcept;

    /// The slot that serves requests for `number`; nullptr: the backend does not serve it, by configuration.
    [[nodiscard]] Slot* slot_for(std::uint32_t number) const noexcept {
        return by_number_[number].load(std::memory_order_acquire);
    }

    [[nodiscard]] BackendView view(Mono now) const;
    /// What this replica has found out, for the others: of the backend, and of each deployment asked for.
    void report(std::vector<quota::PeerReport>& out, Mono now) const;
    /// What others observed. A cool-down they report is theirs: it is not reported on.
    void merge(const quota::PeerReport& observed, Mono now) noexcept;
    [[nodiscard]] bool on() const noexcept { return mode.load(std::memory_order_relaxed) == Mode::on; }
    /// Would some request find this backend usable?
    [[nodiscard]] bool ready(Mono now) const noexcept;
    /// For an operation that some request was refused for altogether; nullptr: none was.
    [[nodiscard]] const CircuitBreaker* noted(OperationIndex operation) const noexcept {
        const unsigned bits = noted_operations.load(std::memory_order_acquire);
        return (bits >> operation & 1U) != 0 ? &operations[operation] : nullptr;
    }
    void note(OperationIndex operation) noexcept {
        noted_operations.fetch_or(1U << operation, std::memory_order_acq_rel);
    }
    void set_detail(std::string text);

    // What each look at the backend reads: one cache line, up to by_number_.
    CircuitBreaker gate;
    std::atomic<Mode> mode{Mode::on};
    std::atomic<std::uint32_t> noted_operations{0};
    std::atomic<std::uint32_t> in_flight{0};
    const std::uint32_t weight;
    const std::uint32_t priority;
    const std::uint64_t hash;  ///< of the name

private:
    /// Set before anyone can find the number (DeploymentTable).
    std::vector<std::atomic<Slot*>> by_number_;

public:
    // What each attempt's end counts.
    std::atomic<std::uint64_t> served{0}, throttled{0}, failed{0};
    std::atomic<std::uint64_t> spilled{0}, tokens{0};
    std::atomic<std::uint64_t> avoided{0};       ///< in millionths
    std::atomic<std::int64_t> first_byte_us{0};  ///< sum over served
    std::atomic<std::int64_t> merged{0};         ///< ns of Mono: until when others reported it out of service
    std::array<CircuitBreaker, max_operations> operations;
    const config::BackendConfig config;

private:
    [[nodiscard]] Slot& slot_called(std::string_view name);

    mutable std::mutex mutex_;  ///< for all below; never on a request's path
    std::vector<std::shared_ptr<Slot>> slots_;
    std::vector<std::shared_ptr<Slot>> adopted_;  ///< of the router before, not yet asked for
    std::string detail_;
};

}  // namespace spillway::routing
