#pragma once
/// What a gateway passes to its successor, as lines of text, since the other may be another version: it
/// ignores what it does not know, and what does not look right.
///
/// Pure. Thread rule: free functions. Errors: none.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quota/usage_changes.hpp"
#include "routing/backend_memory.hpp"

namespace spillway::gateway {

struct Learned {
    /// Whose encrypted reasoning is at a backend, by hash (gateway/session_affinity.hpp).
    struct Sessions {
        std::string backend;
        std::vector<std::uint64_t> hashes;
    };
    std::string replica;  ///< the name under which usage is shared; see quota/redis_store.hpp
    routing::RouterMemory router;
    std::vector<quota::UsageChange> usage;
    std::vector<Sessions> sessions;
};

[[nodiscard]] std::string write_learned(const Learned& learned);
[[nodiscard]] Learned read_learned(std::string_view text);

}  // namespace spillway::gateway
