#pragma once
/// The accounting that survives a reload: the clients' quotas, the ledger, and the store that shares limits.
///
/// Ownership: owned by the Gateway, outlives its workers. Thread rule: made and destroyed on the main
/// thread; quotas and ledger are safe from any. Errors: open() says which file or server setting cannot be
/// used. An unreachable Redis is not an error: the replica continues with its part of the limits.
#include <memory>
#include <vector>

#include "config/gateway.hpp"
#include "quota/client_quota.hpp"
#include "quota/history_sizes.hpp"
#include "quota/pending_usage.hpp"
#include "quota/redis_store.hpp"
#include "store/object_directory.hpp"
#include "telemetry/ledger.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace spillway::gateway {

struct Snapshot;

class Books {
public:
    Books() = default;
    Books(const Books&) = delete;
    Books& operator=(const Books&) = delete;

    /// Opens the ledger and restores the usage of its periods. Call once the subjects are known.
    Result<void> open(const config::GatewayConfig& config);
    /// Keeps whose things are whose in the store, if there is one. One that cannot be written is no error:
    /// what is learnt is in memory then, and where clients are kept apart the log says so.
    Result<void> keep_objects(const config::GatewayConfig& config, std::shared_ptr<telemetry::Logger> log);
    /// Connects to Redis, if configured; without a ledger under the predecessor's name, if there is one.
    Result<void> share(const config::RedisConfig& redis, std::shared_ptr<telemetry::Logger> log,
                       std::string_view predecessor = {});
    /// Makes the replicas report this snapshot's backends to each other.
    void share(const std::shared_ptr<const Snapshot>& snapshot);
    [[nodiscard]] std::vector<telemetry::Registry::Registration> metrics(telemetry::Registry& registry);

    quota::ClientQuotas quotas;
    quota::PendingUsage pending;
    quota::HistorySizes histories;
    store::ObjectDirectory objects;
    std::unique_ptr<telemetry::Ledger> ledger;
    std::unique_ptr<quota::RedisStore> store;
    std::string replica;  ///< among those that share limits

private:
    Result<void> restore(const config::GatewayConfig& config);
};

[[nodiscard]] quota::SubjectLimits to_limits(const config::QuotaConfig& limits,
                                             config::PriorityClass priority = config::PriorityClass::normal);

}  // namespace spillway::gateway
