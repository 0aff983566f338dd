#pragma once
/// The running gateway: the workers on the data port, and what the admin plane shows of them.
///
/// Ownership: owns its workers, the access log and the registry. Thread rule: constructed, reloaded,
/// drained and destroyed on one thread (the main one). Errors: start() says what cannot be used or bound.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_budget.hpp"
#include "base/result.hpp"
#include "gateway/backend_modes.hpp"
#include "gateway/books.hpp"
#include "gateway/certificate_refusals.hpp"
#include "gateway/listener_tls.hpp"
#include "gateway/reload.hpp"
#include "gateway/shortage.hpp"
#include "gateway/snapshot.hpp"
#include "http/address_counts.hpp"
#include "identity/keepers.hpp"
#include "quota/usage_changes.hpp"
#include "telemetry/access_log.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace spillway::gateway {

class KeyKeeper;
class Worker;

class Gateway {
public:
    /// Starts the workers on `sockets`, which are listening already, or binds the data port. `learned`: what
    /// another process knew, whose successor this is.
    [[nodiscard]] static Result<std::unique_ptr<Gateway>> start(config::GatewayConfig config,
                                                                std::shared_ptr<telemetry::Logger> log,
                                                                std::vector<FileDescriptor> sockets = {},
                                                                std::string_view learned = {});
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;
    /// Ends what is in progress: clients get an error, and each request is recorded.
    ~Gateway();

    /// Applies a new configuration to requests and connections from now on, and reads its certificates again.
    /// What needs a restart stays as it is; after an error, everything does.
    Result<Reloaded> reload(config::GatewayConfig fresh);
    /// Checks what may have changed by itself (certificates, disks) and logs it. Call about once a
    /// second.
    void look();
    /// Takes a backend out of rotation or puts it back, here and at once; survives reload(). See
    /// BackendModes::tell().
    std::optional<routing::Mode> set_mode(const store::ModeRow& row) { return modes_.tell(row); }
    /// Keeps that for a restart, and for the replicas that share the store. Why it is not kept; empty: it is.
    /// Waits for the disk; from any thread.
    [[nodiscard]] std::string keep_mode(const store::ModeRow& row);
    /// Continues as before, but closes each connection after its answer.
    void announce_end();
    /// Another process now accepts connections from the same sockets: this one accepts no more, and closes
    /// open ones after their next answer.
    void hand_over();
    /// One line in the log: who changed what by the admin plane.
    void audit(std::string_view who, std::string_view what, std::string_view before, std::string_view after);
    /// Accepts no new connections; busy ones end with their answer.
    void drain();
    [[nodiscard]] std::size_t connections() const;
    /// Reopens the access log (log rotation).
    void reopen_log();

    [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const { return snapshot_; }
    [[nodiscard]] telemetry::Registry& registry() noexcept { return registry_; }
    /// Keys made at run time; null: there is no store for them.
    [[nodiscard]] KeyKeeper* keys() const noexcept { return keys_.get(); }
    [[nodiscard]] const Books& books() const noexcept { return books_; }
    /// Whether some backend can be used now: it is available, and has a credential.
    [[nodiscard]] bool ready() const;
    /// For each backend, why there is no credential; empty if there is.
    [[nodiscard]] std::vector<std::string> lacking_credentials() const;
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// The sockets of the data port, for another process.
    [[nodiscard]] std::vector<int> sockets() const;
    /// What it knows about its backends and clients, for its successor.
    [[nodiscard]] std::string learned();
    /// What its clients used since, and gave back.
    [[nodiscard]] std::string used_since();
    /// The other end: more of what another process's clients use, and its end.
    void learn(std::string_view used);
    void predecessor_ended() noexcept { listener_.end(quota::read_clocks()); }

private:
    void learn(const std::vector<quota::UsageChange>& used);
    explicit Gateway(std::shared_ptr<telemetry::Logger> log);
    void add_callbacks();
    void tell(const std::optional<telemetry::Health::Change>& change, std::string_view what,
              std::string_view path, std::string_view meanwhile);
    /// Reads the keys that were made at run time, and what operators told backends to be.
    Result<void> open_keys(const config::StoreConfig& store);

    std::shared_ptr<telemetry::Logger> log_;
    telemetry::Registry registry_;
    std::unique_ptr<telemetry::AccessLog> access_log_;
    Books books_;
    quota::UsageTeller teller_{books_.quotas};
    quota::UsageListener listener_{books_.quotas};
    MemoryBudget memory_;  ///< for all workers
    http::AddressCounts addresses_;
    Shortage shortage_;
    CertificateRefusals refused_certificates_;
    identity::Keepers keepers_;
    ListenerTls tls_;
    std::uint32_t configured_threads_ = 0;  ///< as configured: 0 is one per core
    std::shared_ptr<const Snapshot> snapshot_;
    BackendModes modes_;
    std::vector<FileDescriptor> sockets_;  ///< copies, to be passed to a successor
    std::vector<std::unique_ptr<Worker>> workers_;
    std::unique_ptr<KeyKeeper> keys_;  // tells the workers, and modes_
    std::vector<telemetry::Registry::Registration> callbacks_;
};

}  // namespace spillway::gateway
