#pragma once
/// Work whose usage is known only after its answer: background responses, batches, runs. Its reservation is
/// kept under its id until any request sees the final usage; seeing it again charges nothing.
///
/// Bounded in number, in number per client, and in age: work that has no room, or is too old, is returned to
/// be charged with all that was reserved, so that nothing is free. Kept in memory only: what is left at the
/// end of the process is returned, too.
///
/// Ownership: owns the work and its grants; the ClientQuotas must outlive it. Thread rule: any thread; takes
/// a lock, except for requests without such work. Errors: none.
#include <atomic>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/strings.hpp"
#include "quota/client_quota.hpp"

namespace spillway::quota {

/// A reservation, and what the ledger records about its request.
struct PendingWork {
    Grant grant;
    Wall began{};
    std::string request_id;
    std::string client;
    std::string key;  ///< made at run time; empty: none
    std::string user;
    std::string team;
    std::string backend;
    std::string deployment;  ///< as requested; its price applies
    std::string model;       ///< as the answer named it
    std::string_view operation;
};

class PendingUsage {
public:
    struct Limits {
        std::size_t most = 16'384;
        std::size_t most_of_one = 4'096;
        /// A batch may take a day ("completion_window").
        Duration age = std::chrono::hours(25);
    };
    PendingUsage() : PendingUsage(Limits{}) {}
    explicit PendingUsage(const Limits& limits) : limits_(limits) {}
    PendingUsage(const PendingUsage&) = delete;
    PendingUsage& operator=(const PendingUsage&) = delete;

    /// Keeps work that is no longer in flight. Returns it if there is no room, or earlier work of the same
    /// id: either is to be charged with what it reserved.
    [[nodiscard]] std::optional<PendingWork> keep(std::string_view id, PendingWork work, Mono now);
    /// Its final usage has been seen. nullopt if the id is unknown, or was finished before.
    [[nodiscard]] std::optional<PendingWork> finish(std::string_view id);
    /// Up to `most` that are too old.
    [[nodiscard]] std::vector<PendingWork> expired(Mono now, std::size_t most);
    /// Everything that is left.
    [[nodiscard]] std::vector<PendingWork> drain();
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

private:
    struct Entry {
        std::string id;
        PendingWork work;
        Mono since{};
    };
    using Order = std::list<Entry>;  ///< oldest first
    PendingWork remove(Order::iterator entry);

    const Limits limits_;
    std::atomic<std::size_t> size_{0};
    std::mutex mutex_;
    Order order_;
    std::unordered_map<std::string_view, Order::iterator> by_id_;  ///< keys are the entries' own
    std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> of_client_;
};

}  // namespace spillway::quota
