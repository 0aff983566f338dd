#pragma once
/// A thread of the data plane: its event loop, listener, upstream pools and per-thread tools.
///
/// Ownership: Shared must outlive it. Errors: from listen(). Thread rule: everything except the posting
/// calls (use, use_tls, announce_end, hand_over, drain, end,
/// stop) belongs to the worker's own thread; those are safe from any.
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
#include "gateway/busy_clients.hpp"
#include "gateway/certificate_refusals.hpp"
#include "gateway/metrics.hpp"
#include "gateway/open_request.hpp"
#include "gateway/pending_work.hpp"
#include "gateway/shortage.hpp"
#include "gateway/snapshot.hpp"
#include "http/server.hpp"
#include "identity/client_keys.hpp"
#include "quota/user_accounts.hpp"
#include "store/object_directory.hpp"
#include "telemetry/access_log.hpp"
#include "telemetry/log.hpp"

namespace spillway::gateway {

struct RequestSlot;
class KeyRing;

/// A snapshot as used by one worker: with its own connection pools and counters.
struct Upstreams {
    Upstreams(Loop& loop, std::shared_ptr<const Snapshot> s, telemetry::Registry& registry);
    std::shared_ptr<const Snapshot> snapshot;
    std::vector<http::Origin> origins;  ///< by backend
    Metrics metrics;                    ///< by the snapshot's clients and backends
    /// Keys that were made at run time; null: none. Counted by the worker's thread alone.
    using MadeKeys = std::shared_ptr<const std::shared_ptr<const KeyRing>>;
    MadeKeys made_keys;
};

class Worker {
public:
    struct Shared {
        telemetry::Registry& registry;
        telemetry::AccessLog* access_log;  ///< null: none
        Books& books;
        telemetry::Logger& process_log;
        MemoryBudget& memory;
        http::AddressCounts& addresses;  ///< of clients
        Shortage& shortage;              ///< of descriptors
        CertificateRefusals& refused_certificates;
    };
    Worker(Shared shared, const std::shared_ptr<const Snapshot>& snapshot, std::uint64_t seed);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    /// Accepts connections from a listening socket; before run().
    Result<void> listen(FileDescriptor socket);
    [[nodiscard]] std::uint16_t port() const noexcept { return server_.port(); }
    /// Starts the thread.
    void run();

    void use(std::shared_ptr<const Snapshot> snapshot);
    /// `until_used` is let go of once they are in use.
    void use(std::shared_ptr<const KeyRing> made_keys, std::shared_ptr<const void> until_used);
    /// For connections from now on.
    void use_tls(http::TlsContext::Shared tls);
    /// Continues, but announces the end to clients.
    void announce_end();
    /// Accepts no new connections, which another process does from the same sockets. Idle ones stay open
    /// until their next request, or their time-out.
    void hand_over();
    /// Accepts no new connections; busy ones end with their answer.
    void drain();
    /// Ends what is in progress: clients get an error, and each request is recorded. Then closes everything.
    void end();
    /// end(), and waits for the thread.
    void stop();
    [[nodiscard]] std::size_t connections() const noexcept { return connections_.load(); }

    // For Request, on this thread:
    void note(OpenRequest& request) { places_.open.push_back(request); }
    /// Whether what is in progress must end now.
    [[nodiscard]] bool ending() const noexcept { return places_.ending; }
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
    /// What is written by other threads.
    struct Writers {
        std::optional<telemetry::Ledger::Writer> ledger;
        store::ObjectDirectory::Writer objects;
    };
    Writers writers;
    Books& books;
    quota::UserAccounts users;
    struct {
        BusyClients clients;
        ComingBodies bodies;
    } busy;

private:
    Task<void> handle(http::Exchange& exchange);
    [[nodiscard]] PendingCharges charges() noexcept;
    Task<void> tick();
    void tell_shortage(bool begun);
    void tell_refused_certificate(std::string_view peer, std::string_view why);
    Task<void> end_all();
    void keep_apart() noexcept;

    /// Of requests.
    struct Places {
        std::vector<std::unique_ptr<RequestSlot>> free;
        std::size_t taken = 0;
        OpenRequests open;
        bool ending = false;  ///< what is in progress must end
    };
    Places places_;

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
