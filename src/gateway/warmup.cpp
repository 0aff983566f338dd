#include "gateway/warmup.hpp"

#include <cstddef>
#include <initializer_list>
#include <span>

#include "base/cache_line.hpp"
#include "gateway/key_ring.hpp"

namespace spillway::gateway::warmup {
namespace {

using Memory = std::span<const std::byte>;

template <class T>
Memory memory_of(const T& object) noexcept {
    return std::as_bytes(std::span(&object, 1));
}

void prefetch(std::initializer_list<Memory> list) noexcept {
    for (const Memory& memory : list)
        for (std::size_t at = 0; at < memory.size(); at += kCacheLine) {
            const std::byte* const line = memory.data() + at;
            __builtin_prefetch(line);
            // GCC takes a function that does nothing else for one without effect, and leaves out calls of it.
            asm volatile("" : : "r"(line));
        }
}

/// Null: it has none of its own.
quota::Subject* key_limits(const Client& client) noexcept {
    return is_key(client) ? static_cast<const KeyClient&>(client).limits : nullptr;
}

}  // namespace

void key(const Upstreams& upstreams, const identity::ClientKeys::Presented& key) noexcept {
    prefetch({upstreams.snapshot->clients.place_of(key),
              upstreams.made_keys ? (*upstreams.made_keys)->place_of(key) : Memory()});
}

void client(const Client& client) noexcept {
    prefetch({memory_of(client)});
}

void accounts(const Upstreams& upstreams, const Client& client) noexcept {
    const quota::Subject* const key = key_limits(client);
    prefetch({memory_of(*client.account), key != nullptr ? memory_of(*key) : Memory(),
              upstreams.metrics.client_memory(upstreams.snapshot->clients.index_of(client))});
}

void windows(const Client& client, quota::Now now) noexcept {
    for (quota::Subject* const account : {client.account, key_limits(client)}) {
        if (account == nullptr) continue;
        prefetch({account->tokens().usage().place_of(now), account->requests().usage().place_of(now)});
    }
}

void stream(std::span<const std::byte> relay, const Downstream& client,
            std::span<const std::byte> writing) noexcept {
    prefetch({relay, memory_of(client), writing});
}

void backend(const Upstreams& upstreams, routing::BackendIndex to) noexcept {
    const Snapshot& snapshot = *upstreams.snapshot;
    prefetch({memory_of(snapshot.config.backends[to]), memory_of(snapshot.host_lines[to]),
              upstreams.metrics.backend_memory(to)});
}

}  // namespace spillway::gateway::warmup
