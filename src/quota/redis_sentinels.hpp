#pragma once
/// Asks Redis Sentinel where the primary is, as its clients are asked to
/// (https://redis.io/docs/latest/develop/reference/sentinel-clients/): one sentinel after the other, the one
/// that answered first the next time. That the answer is still right is seen by the server's taking writes.
///
/// Ownership: its Loop outlives it; what it needs of the configuration is its own. Thread rule: the Loop's.
/// Errors: returned, with what each sentinel said.
#include <optional>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "config/gateway.hpp"
#include "config/quota.hpp"
#include "quota/redis_link.hpp"

namespace spillway::quota {

class RedisSentinels {
public:
    RedisSentinels(Loop& loop, const config::RedisConfig& config);

    Task<Result<config::ListenConfig>> find_primary();
    /// Ends what is in progress with an error.
    void abort() noexcept;

private:
    Task<Result<config::ListenConfig>> ask(const config::RedisConfig& sentinel);

    Loop& loop_;
    const std::string primary_;
    std::vector<config::RedisConfig> sentinels_;
    std::optional<RedisLink> link_;
    bool aborted_ = false;
};

}  // namespace spillway::quota
