#pragma once
/// Shares the limits of all subjects among replicas through Redis or Valkey (rule: quota/store.hpp), and what
/// they know of the backends (quota/peers.hpp).
///
/// A thread of its own reports in rounds, one pipelined script call for each limit whose report changed (each
/// second for those that rest); requests never wait for it. A round that fails or takes longer than the
/// timeout cuts all limits off: each replica goes on with its part, limit / replicas, until a round succeeds.
///
/// Keys: `PREFIX:{KIND:NAME}:LIMIT[:EPOCH]`, hashes with a field per replica; they expire by themselves.
/// Ownership: the ClientQuotas must outlive it. Thread rule: made, started and destroyed from one thread;
/// stats() from any. Errors: told in stats() and to `log`; the constructor throws std::exception on TLS
/// files that cannot be used.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/quota.hpp"
#include "quota/client_quota.hpp"
#include "quota/peers.hpp"

namespace spillway::quota {

/// A name that no other process has.
[[nodiscard]] std::string new_replica_id();

class RedisStore {
public:
    struct Stats {
        bool connected = false;
        std::uint32_t replicas = 1;
        std::uint64_t rounds = 0;
        std::uint64_t failures = 0;
    };
    /// `replica` names this process among the replicas; the same for the same ledger, since what a period
    /// has used is told under it.
    RedisStore(config::RedisConfig config, std::string replica, ClientQuotas& quotas,
               std::function<void(const std::string&)> log);
    RedisStore(const RedisStore&) = delete;
    RedisStore& operator=(const RedisStore&) = delete;
    ~RedisStore();

    /// Starts the thread and waits for its first round, at most twice the timeout.
    void start();
    /// Whom to ask and tell of the backends from now on; what was set before is let go on the store's thread.
    void use(Peers peers);
    [[nodiscard]] Stats stats() const noexcept;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace spillway::quota
