#pragma once
/// The running gateway: one worker per core on the data port, and what the admin plane shows of them.
///
/// Ownership: owns its workers; the access log and the registry live inside. Thread rule: made, reloaded,
/// drained and destroyed from one thread (the main one). Errors: start() says what cannot be used or bound.
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "gateway/books.hpp"
#include "gateway/snapshot.hpp"
#include "telemetry/access_log.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace spillway::gateway {

class Worker;

class Gateway {
public:
    /// Binds the data port and starts the workers.
    [[nodiscard]] static Result<std::unique_ptr<Gateway>> start(config::GatewayConfig config,
                                                                std::shared_ptr<telemetry::Logger> log);
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;
    /// Stops at once.
    ~Gateway();

    /// Takes a new configuration into use for requests from now on. Listeners, threads and log files stay as
    /// they are; a change of those is warned about.
    Result<void> reload(config::GatewayConfig config);
    /// Takes a backend out of rotation, or puts it back; kept over reload(), not over a restart. False: there
    /// is none of that name.
    bool set_mode(std::string_view backend, routing::Mode mode);
    /// No new connections; busy ones end with their answer.
    void drain();
    [[nodiscard]] std::size_t connections() const;
    /// Opens the access log anew (log rotation).
    void reopen_log();

    [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const { return snapshot_; }
    [[nodiscard]] telemetry::Registry& registry() noexcept { return registry_; }
    [[nodiscard]] const Books& books() const noexcept { return books_; }
    [[nodiscard]] std::uint16_t port() const noexcept;

private:
    Gateway() = default;
    void add_callbacks();

    std::shared_ptr<telemetry::Logger> log_;
    telemetry::Registry registry_;
    std::unique_ptr<telemetry::AccessLog> access_log_;
    Books books_;
    std::shared_ptr<const Snapshot> snapshot_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<telemetry::Registry::Registration> callbacks_;
};

}  // namespace spillway::gateway
