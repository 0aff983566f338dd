#include "quota/redis_peers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace spillway::quota {
namespace {

using std::chrono::milliseconds;

constexpr Duration kRest = milliseconds(500);  ///< between reports of what does not change
constexpr auto kLife = std::chrono::seconds(5);
constexpr std::size_t kParts = 5;
constexpr std::int64_t kMostMs = std::int64_t{24} * 60 * 60 * 1000;  ///< of a cool-down
/// More replicas than that are not believed; so that no sum overflows.
constexpr std::size_t kMostReplicas = 1000;

bool same(const PeerReport& a, const PeerReport& b) {
    return a.tokens == b.tokens && a.requests == b.requests &&
           (a.cooling > Duration::zero()) == (b.cooling > Duration::zero()) && a.reason == b.reason;
}

/// A number, within what it can mean: the server may be any.
std::int64_t number_of(const redisReply& reply) {
    constexpr long long most = 1'000'000'000'000'000;
    return reply.type == REDIS_REPLY_INTEGER ? std::clamp<long long>(reply.integer, -most, most) : 0;
}

std::string_view text_of(const redisReply& reply) {
    return reply.type == REDIS_REPLY_STRING ? std::string_view(reply.str, reply.len) : std::string_view();
}

}  // namespace

const std::string_view RedisPeers::script = R"lua(
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local me, cooling, life = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[6])
local observed = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i] ~= me then
    local t, r, till, why, expires = string.match(all[i + 1], '^(-?%d+) (-?%d+) (%d+) (%d+) (%d+)$')
    if not t or now >= tonumber(expires) then
      redis.call('HDEL', KEYS[1], all[i])
    else
      observed[#observed + 1] = {all[i], tonumber(t), tonumber(r), math.max(0, tonumber(till) - now), tonumber(why)}
    end
  end
end
local till = 0
if cooling > 0 then till = now + cooling end
redis.call('HSET', KEYS[1], me, string.format('%s %s %.0f %s %.0f', ARGV[2], ARGV[3], till, ARGV[5], now + life))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life + 1000))
return observed
)lua";

RedisPeers::RedisPeers(std::string prefix, std::string replica, Peers peers)
    : prefix_(std::move(prefix)), replica_(std::move(replica)), peers_(std::move(peers)) {}

std::size_t RedisPeers::add_reports(RedisLink& link, std::string_view digest, Mono now) {
    asked_.clear();
    for (PeerReport& report : peers_.report(now)) {
        const std::string key =
            fmt::format("{}:{{backend:{}}}:{}", prefix_, report.backend, report.deployment);
        Entry& entry = entries_[key];
        if (entry.reported_at != Mono{} && same(entry.last, report) && now - entry.reported_at < kRest)
            continue;
        entry.reported_at = now;
        const std::string tokens = std::to_string(report.tokens);
        const std::string requests = std::to_string(report.requests);
        const std::string cooling = std::to_string(std::chrono::ceil<milliseconds>(report.cooling).count());
        const std::string reason = std::to_string(report.reason);
        const std::string life = std::to_string(milliseconds(kLife).count());
        const std::array<std::string_view, 10> words{"EVALSHA", digest,   "1",     key,    replica_,
                                                     tokens,    requests, cooling, reason, life};
        link.add(words);
        entry.last = std::move(report);
        asked_.push_back(&entry);
    }
    return asked_.size();
}

bool RedisPeers::merge_reply(std::size_t number, const redisReply& reply, Mono now) {
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements > kMostReplicas) return false;
    Entry& entry = *asked_[number];
    PeerReport observed;
    observed.backend = entry.last.backend;
    observed.deployment = entry.last.deployment;
    std::unordered_map<std::string, Sums> seen;
    for (std::size_t i = 0; i < reply.elements; ++i) {
        const redisReply& other = *reply.element[i];
        if (other.type != REDIS_REPLY_ARRAY || other.elements != kParts) return false;
        const Sums sums{number_of(*other.element[1]), number_of(*other.element[2])};
        std::string name(text_of(*other.element[0]));
        const auto before = entry.others.find(name);
        // A replica that is new since the last time has sent its sum since then.
        if (before != entry.others.end() || !entry.first) {
            const Sums known = before == entry.others.end() ? Sums{} : before->second;
            observed.tokens += sums.tokens - known.tokens;
            observed.requests += sums.requests - known.requests;
        }
        const Duration cooling =
            milliseconds(std::clamp<std::int64_t>(number_of(*other.element[3]), 0, kMostMs));
        if (cooling > observed.cooling) {
            observed.cooling = cooling;
            observed.reason =
                static_cast<std::uint8_t>(std::clamp<std::int64_t>(number_of(*other.element[4]), 0, 255));
        }
        seen.emplace(std::move(name), sums);
    }
    entry.others = std::move(seen);
    entry.first = false;
    if (observed.tokens != 0 || observed.requests != 0 || observed.cooling > Duration::zero())
        peers_.merge(observed, now);
    return true;
}

void RedisPeers::forget() {
    entries_.clear();
}

}  // namespace spillway::quota
