#include "quota/redis_sentinels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "config/listen.hpp"

namespace spillway::quota {
namespace {

/// A sentinel is a Redis server with a password of its own and no databases.
config::RedisConfig as_server(const config::RedisConfig& config, const std::string& address) {
    const auto where = config::parse_listen(address);
    config::RedisConfig out = config;
    out.host = where->host;
    out.port = where->port;
    out.database = 0;
    out.username.clear();
    out.password = config.sentinel_password;
    return out;
}

std::string_view text(const redisReply& reply) {
    return reply.type == REDIS_REPLY_STRING || reply.type == REDIS_REPLY_ERROR
               ? std::string_view(reply.str, reply.len)
               : std::string_view();
}

}  // namespace

RedisSentinels::RedisSentinels(Loop& loop, const config::RedisConfig& config)
    : loop_(loop), primary_(config.host) {
    for (const std::string& address : config.sentinels) sentinels_.push_back(as_server(config, address));
}

void RedisSentinels::abort() noexcept {
    aborted_ = true;
    if (link_) link_->abort();
}

Task<Result<config::ListenConfig>> RedisSentinels::ask(const config::RedisConfig& sentinel) {
    RedisLink& link = link_.emplace(loop_, sentinel);
    if (const auto opened = co_await link.open(); !opened) co_return opened.error();
    const std::array<std::string_view, 3> words{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", primary_};
    link.add(words);
    const auto replies = co_await link.exchange();
    if (!replies) co_return replies.error();
    const redisReply& reply = *replies->front();
    if (reply.type == REDIS_REPLY_NIL) co_return fail(fmt::format("knows no primary named {}", primary_));
    if (reply.type == REDIS_REPLY_ERROR) co_return fail(std::string(text(reply)));
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 2)
        co_return fail("answers otherwise than expected");
    const auto port = parse_int<std::uint16_t>(text(*reply.element[1]));
    if (!port) co_return fail("answers otherwise than expected");
    co_return config::ListenConfig{std::string(text(*reply.element[0])), *port};
}

Task<Result<config::ListenConfig>> RedisSentinels::find_primary() {
    std::string said;
    for (auto sentinel = sentinels_.begin(); sentinel != sentinels_.end() && !aborted_; ++sentinel) {
        auto found = co_await ask(*sentinel);
        link_.reset();
        if (found) {
            std::rotate(sentinels_.begin(), sentinel, sentinel + 1);
            co_return found;
        }
        said += fmt::format("{}sentinel {}: {}", said.empty() ? "" : "; ",
                            to_string(config::ListenConfig{sentinel->host, sentinel->port}),
                            found.error().message);
    }
    co_return fail(std::move(said));
}

}  // namespace spillway::quota
