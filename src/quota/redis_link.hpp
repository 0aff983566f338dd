#pragma once
/// One connection to Redis or Valkey: pipelined commands and their replies (RESP2), TCP or TLS.
///
/// The protocol is hiredis'; the transport is Asio's, since Debian's hiredis has no TLS.
/// Ownership: the io_context outlives it. Thread rule: its io_context's one thread. Errors: returned; after
/// one the link is closed and has to be opened anew.
#include <hiredis/hiredis.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/quota.hpp"
#include "http/asio_stream.hpp"

namespace spillway::quota {

struct RedisFree {
    void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
    void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, RedisFree>;

class RedisLink {
public:
    RedisLink(boost::asio::io_context& context, const config::RedisConfig& config);

    /// Connects, authenticates and selects the database.
    boost::asio::awaitable<Result<void>> open();
    [[nodiscard]] bool is_open() const noexcept { return stream_.has_value(); }
    /// Only while no exchange is under way.
    void close() noexcept;
    /// Ends what is under way with an error.
    void abort() noexcept;

    /// Adds a command to the next exchange.
    void add(std::span<const std::string_view> arguments);
    /// Sends what was added; the replies, in order. An error reply is a reply.
    boost::asio::awaitable<Result<std::vector<RedisReply>>> exchange();

private:
    boost::asio::awaitable<Result<void>> connect();
    boost::asio::awaitable<Result<void>> greet();
    void watch();

    boost::asio::io_context& context_;
    const config::RedisConfig& config_;
    boost::asio::ssl::context tls_;
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::steady_timer deadline_;
    std::optional<http::AsioStream> stream_;
    std::unique_ptr<redisReader, RedisFree> reader_;
    std::string out_;
    std::size_t expected_ = 0;
};

}  // namespace spillway::quota
