#pragma once
/// Exchanges PeerReports through Redis: a hash for each backend and deployment, with a field for each replica
/// ("tokens requests until reason expires"), written and read by one atomic script. Times are the server's,
/// so the replicas' clocks do not matter.
///
/// Keys: `PREFIX:{backend:NAME}:DEPLOYMENT`; they expire automatically. Ownership: holds no link. Thread
/// rule: the store's one thread. Errors: false for a reply of another shape.
#include <hiredis/hiredis.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "quota/peers.hpp"
#include "quota/redis_link.hpp"

namespace spillway::quota {

class RedisPeers {
public:
    static const std::string_view script;

    /// `replica` is unique for each process and set of backends, whose sums start at zero.
    RedisPeers(std::string prefix, std::string replica, Peers peers);

    /// Adds a script call for each report that is due; returns their number.
    std::size_t add_reports(RedisLink& link, std::string_view digest, Mono now);
    /// Merges the reply to the call with that number.
    [[nodiscard]] bool merge_reply(std::size_t number, const redisReply& reply, Mono now);
    /// Call after the store was unreachable: what others sent meanwhile is known from heads, or belongs to
    /// windows long over.
    void forget();

private:
    struct Sums {
        std::int64_t tokens = 0;
        std::int64_t requests = 0;
    };
    struct Entry {
        PeerReport last;
        Mono reported_at{};
        std::unordered_map<std::string, Sums> others;  ///< by replica, as last seen
        bool first = true;                             ///< no reply yet: sums are only remembered
    };

    const std::string prefix_;
    const std::string replica_;
    const Peers peers_;
    std::unordered_map<std::string, Entry> entries_;  ///< by key
    std::vector<Entry*> asked_;
};

}  // namespace spillway::quota
