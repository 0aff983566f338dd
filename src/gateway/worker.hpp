#pragma once
/// One thread of the data plane: its event loop, listener, upstream pools and per-thread tools.
///
/// Ownership: what is shared (registry, access log) must outlive it. Thread rule: everything but post-like
/// calls (use, drain, stop) belongs to the worker's own thread; those three are safe from any.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "api/request_scan.hpp"
#include "api/stream_event.hpp"
#include "base/loop.hpp"
#include "base/memory_budget.hpp"
#include "base/poller.hpp"
#include "base/rng.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "gateway/books.hpp"
#include "gateway/metrics.hpp"
#include "gateway/pending_work.hpp"
#include "gateway/shortage.hpp"
#include "gateway/snapshot.hpp"
#include "http/server.hpp"
#include "identity/client_keys.hpp"
#include "quota/user_accounts.hpp"
#include "telemetry/access_log.hpp"
#include "telemetry/log.hpp"

namespace spillway::gateway {

struct RequestSlot;

/// A snapshot as one worker uses it: with its own connection pools and places to count.
struct Upstreams {
    Upstreams(Loop& loop, std::shared_ptr<const Snapshot> s, telemetry::Registry& registry);
    std::shared_ptr<const Snapshot> snapshot;
    std::vector<http::Origin> origins;  ///< by backend
    Metrics metrics;                    ///< by the snapshot's clients and backends
};

class Worker {
public:
    struct Shared {
        telemetry::Registry& registry;
        telemetry::AccessLog* access_log;  ///< null: none is kept
        Books& books;
        telemetry::Logger& process_log;
        MemoryBudget& memory;
        Shortage& shortage;  ///< of descriptors
    };
    Worker(Shared shared, const std::shared_ptr<const Snapshot>& snapshot, std::uint64_t seed);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    /// Binds; before run().
    Result<void> listen(const http::Listen& where);
    [[nodiscard]] std::uint16_t port() const noexcept { return server_.port(); }
    /// Starts the thread.
    void run();

    void use(std::shared_ptr<const Snapshot> snapshot);
    void drain();
    /// Closes all and ends the thread.
    void stop();
    [[nodiscard]] std::size_t connections() const noexcept { return connections_.load(); }

    // For Request, on this thread:
    [[nodiscard]] const std::shared_ptr<Upstreams>& upstreams() const noexcept { return upstreams_; }
    [[nodiscard]] Poller& poller() const noexcept { return poller_; }
    [[nodiscard]] Loop& loop() noexcept { return context_; }
    [[nodiscard]] MemoryBudget& memory() const noexcept { return shared_.memory; }
    [[nodiscard]] Shortage& shortage() const noexcept { return shared_.shortage; }
    identity::KeyHasher hasher;
    api::RequestScanner scanner;
    api::EventClassifier classifier;
    Rng rng;
    const std::uint64_t subset_key;  ///< see routing::Ask
    std::optional<telemetry::AccessLog::Writer> log;
    std::optional<telemetry::Ledger::Writer> ledger;
    Books& books;
    quota::UserAccounts users;

private:
    Task<void> handle(http::Exchange& exchange);
    [[nodiscard]] PendingCharges charges() noexcept;
    Task<void> tick();
    void tell_shortage(bool begun);

    std::vector<std::unique_ptr<RequestSlot>> free_slots_;
    std::size_t under_way_ = 0;  ///< requests

    const Shared shared_;
    Loop context_;
    Poller& poller_{Poller::of(context_)};
    std::shared_ptr<Upstreams> upstreams_;
    http::Server server_;
    Timer ticker_;
    std::atomic<std::size_t> connections_{0};
    std::thread thread_;
};

}  // namespace spillway::gateway
