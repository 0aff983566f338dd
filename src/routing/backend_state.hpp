#pragma once
/// The live state of one backend and of its deployments ("slots"), which the Router keeps.
///
/// Ownership: fixed size from the start, slots are made once and never go. Thread rule: reading and counting
/// from any thread; add_slot() only under the deployment table's lock.
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/prefetch.hpp"
#include "config/backend.hpp"
#include "quota/mirror.hpp"
#include "quota/peers.hpp"
#include "routing/availability.hpp"
#include "routing/router.hpp"

namespace spillway::routing {

/// One deployment of a backend: what Azure's quotas are about. What each look at it reads comes first.
struct alignas(64) Slot {
    Slot(std::string deployment, const config::BackendConfig& backend)
        : mirror(backend), name(std::move(deployment)) {}

    /// Asks for the memory that a look at it reads.
    void prefetch() const noexcept {
        for (const void* line :
             {static_cast<const void*>(this), static_cast<const void*>(&mirror),
              static_cast<const void*>(&mirror.tokens()), static_cast<const void*>(&mirror.requests())})
            prefetch_for_read(line);
    }

    Availability gate;
    std::atomic<std::uint32_t> in_flight{0};
    std::atomic<bool> asked{false};
    std::atomic<std::int64_t> heard{0};  ///< as in BackendState
    quota::Mirror mirror;
    const std::string name;
};

class alignas(64) BackendState {
public:
    BackendState(const config::BackendConfig& config, std::uint32_t numbers);

    /// Sets the slot that serves requests for number `number`, called `requested` by clients (nullopt: all
    /// names beyond the bound).
    void add_slot(std::uint32_t number, std::optional<std::string_view> requested);

    /// The slot that serves requests for number `number`.
    [[nodiscard]] Slot& slot_for(std::uint32_t number) const noexcept { return *by_number_[number]; }
    [[nodiscard]] BackendView view(Mono now) const;
    /// What this replica has found out, for the others: of the backend, and of each deployment asked for.
    void report(std::vector<quota::PeerReport>& out, Mono now) const;
    /// What others found out. A cool-down they tell of is theirs: it is not told on.
    void heed(const quota::PeerNews& news, Mono now) noexcept;
    [[nodiscard]] bool on() const noexcept { return mode.load(std::memory_order_relaxed) == Mode::on; }
    /// Would some request find this backend usable?
    [[nodiscard]] bool ready(Mono now) const noexcept;

    // What each look at the backend reads: one cache line, up to by_number_.
    Availability gate;
    std::atomic<Mode> mode{Mode::on};
    std::atomic<std::uint32_t> in_flight{0};
    const std::uint32_t weight;
    const std::uint32_t priority;
    const std::uint64_t hash;  ///< of the name

private:
    [[nodiscard]] Slot& slot(std::uint32_t index) const noexcept {
        return *slots_[index].load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint32_t slot_count() const noexcept {
        return slot_count_.load(std::memory_order_acquire);
    }
    /// Set before anyone can find the number (DeploymentTable).
    std::vector<Slot*> by_number_;

public:
    // What each attempt's end counts.
    std::atomic<std::uint64_t> served{0}, throttled{0}, failed{0};
    std::atomic<std::uint64_t> spilled{0}, tokens{0};
    std::atomic<std::uint64_t> avoided{0};       ///< in millionths
    std::atomic<std::int64_t> first_byte_us{0};  ///< sum over served
    std::atomic<std::int64_t> heard{0};  ///< ns of Mono: until when others told it to be out of service
    const config::BackendConfig config;

private:
    std::vector<std::atomic<Slot*>> slots_;
    std::atomic<std::uint32_t> slot_count_{0};
    std::vector<std::unique_ptr<Slot>> owned_;
};

}  // namespace spillway::routing
