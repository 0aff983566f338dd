// What a server that calls itself Redis replies: read by hiredis as the link reads it, merged as other
// replicas' reports. No number that it may send is too large, and no array of another shape is believed.
#include <hiredis/hiredis.h>

#include <vector>

#include "base/loop.hpp"
#include "check.hpp"
#include "quota/redis_link.hpp"
#include "quota/redis_peers.hpp"

using namespace spillway;

namespace {

std::vector<quota::RedisReply> replies(std::string_view bytes) {
    std::vector<quota::RedisReply> out;
    const quota::RedisReader reader = quota::make_redis_reader();
    redisReaderFeed(reader.get(), bytes.data(), bytes.size());
    for (void* reply = nullptr; redisReaderGetReply(reader.get(), &reply) == REDIS_OK && reply != nullptr;)
        out.emplace_back(static_cast<redisReply*>(reply));
    return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Loop loop;
    const config::RedisConfig config;
    quota::RedisLink link(loop, config);  // never opened: holds what would be sent
    quota::Peers hooks;
    hooks.report = [](Mono) {
        return std::vector<quota::PeerReport>{
            {.backend = "b", .deployment = "d", .tokens = 5, .requests = 1}};
    };
    hooks.merge = [](const quota::PeerReport& seen, Mono) {
        SPILLWAY_EXPECT(seen.backend == "b" && seen.deployment == "d");
        SPILLWAY_EXPECT(seen.cooling >= Duration::zero() && seen.cooling <= std::chrono::hours(24));
    };
    quota::RedisPeers peers("p", "me", std::move(hooks));
    Mono now{std::chrono::seconds(1000)};
    for (const quota::RedisReply& reply : replies(fuzz::as_text(data, size))) {
        now += std::chrono::seconds(60);
        if (peers.add_reports(link, "digest", now) > 0) static_cast<void>(peers.merge_reply(0, *reply, now));
    }
    return 0;
}
