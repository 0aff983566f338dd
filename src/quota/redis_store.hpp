#pragma once
/// Shares the limits of all subjects among replicas through Redis or Valkey (rules: quota/store.hpp), and
/// what they know about the backends (quota/peers.hpp).
///
/// Its own thread reports in rounds, with one pipelined script call for each limit whose report has changed
/// (once a second if not); requests never wait for it. A round that fails or exceeds the timeout cuts all
/// limits off: each replica continues with its part, limit / replicas, until a round succeeds.
///
/// Keys: `PREFIX:{KIND:NAME}:LIMIT[:EPOCH]`, hashes with a field per replica; they expire automatically.
/// Ownership: the ClientQuotas must outlive it. Thread rule: constructed, started and destroyed on one
/// thread; stats() from any. Errors: reported in stats() and to `log`; the constructor throws std::exception
/// if TLS files cannot be used.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/quota.hpp"
#include "quota/client_quota.hpp"
#include "quota/peers.hpp"

namespace spillway::quota {

/// A name unique to this process.
[[nodiscard]] std::string new_replica_id();

class RedisStore {
public:
    struct Stats {
        bool connected = false;
        std::uint32_t replicas = 1;
        std::uint64_t rounds = 0;
        std::uint64_t failures = 0;
    };
    /// `replica` identifies this process among the replicas. It stays the same for the same ledger, since the
    /// usage of periods is reported under it.
    RedisStore(config::RedisConfig config, std::string replica, ClientQuotas& quotas,
               std::function<void(const std::string&)> log);
    RedisStore(const RedisStore&) = delete;
    RedisStore& operator=(const RedisStore&) = delete;
    ~RedisStore();

    /// Starts the thread and waits for its first round, at most twice the timeout.
    void start();
    /// Sets who reports on the backends from now on; the previous one is released on the store's thread.
    void use(Peers peers);
    /// Another process reports under the same name from now on: ends the rounds, and cuts the limits off.
    void hand_over();
    [[nodiscard]] Stats stats() const noexcept;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace spillway::quota
