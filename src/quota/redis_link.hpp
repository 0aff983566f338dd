#pragma once
/// One connection to Redis or Valkey: pipelined commands and their replies (RESP2), TCP or TLS.
///
/// hiredis implements the protocol; the transport is that of the http room, since Debian's hiredis has no
/// TLS. Ownership: its Loop outlives it. Thread rule: the Loop's. Errors: returned; after an error the link
/// is closed and has to be opened again.
#include <hiredis/hiredis.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "config/quota.hpp"
#include "http/byte_stream.hpp"
#include "http/dialer.hpp"

namespace spillway::quota {

struct RedisFree {
    void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
    void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, RedisFree>;

using RedisReader = std::unique_ptr<redisReader, RedisFree>;
/// Reads replies, but no array longer than any that was asked for: Debian's hiredis (0.14) has no bound, and
/// what it allocates for one is walked through.
[[nodiscard]] RedisReader make_redis_reader();

class RedisLink {
public:
    /// `config` outlives this; its host and port may be changed before open().
    RedisLink(Loop& loop, const config::RedisConfig& config);

    /// Looks the name up anew, connects, authenticates and selects the database.
    Task<Result<void>> open();
    [[nodiscard]] bool is_open() const noexcept { return stream_.has_value(); }
    /// Only while no exchange is in progress.
    void close() noexcept;
    /// Ends what is in progress with an error.
    void abort() noexcept;

    /// Adds a command to the next exchange.
    void add(std::span<const std::string_view> arguments);
    /// Sends what was added; returns the replies, in order. An error reply is a reply.
    Task<Result<std::vector<RedisReply>>> exchange();

private:
    Task<Result<void>> connect();
    Task<Result<void>> greet();
    void watch();

    Loop& loop_;
    const config::RedisConfig& config_;
    http::Dial* dialing_ = nullptr;
    Timeout deadline_;
    std::optional<http::ByteStream> stream_;
    RedisReader reader_;
    std::string out_;
    std::size_t expected_ = 0;
};

}  // namespace spillway::quota
