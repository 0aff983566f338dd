#pragma once
/// Prefetches memory: the only place in the program that does. With many clients and backends each is cold in
/// the cache; from a key to its client's limits there are three places, each known from the one before, and
/// between a prefetch and the use there is other work. The measured gain is given with each list; prefetches
/// without a measurable gain do not belong here.
///
/// Hints affect only time. Ownership: arguments are only read. Thread rule: any. Errors: none.
#include "gateway/clients.hpp"
#include "gateway/downstream.hpp"
#include "gateway/worker.hpp"
#include "routing/choice.hpp"

namespace spillway::gateway::warmup {

/// Where the search for a presented key starts, then the client found, then its accounts. Together: 0.44 µs
/// of 0.92 to admit one of 100,000 clients, 3 % of a request (bench/micro).
void key(const Upstreams& upstreams, const identity::ClientKeys::Presented& key) noexcept;
void client(const Client& client) noexcept;
void accounts(const Upstreams& upstreams, const Client& client) noexcept;

/// Once the accounts have come: what their limits per minute count in.
void windows(const Client& client, quota::Now now) noexcept;

/// Before the next event of a stream is read: its relay, and what a write to its client uses. Between two
/// events of one stream, those of thousands of others go through the cache: 0.93 of the CPU time for an event
/// of 10,000 streams, each with one a second.
void stream(std::span<const std::byte> relay, const Downstream& client,
            std::span<const std::byte> writing) noexcept;

/// What an attempt at a backend reads and counts: 24 of the 60 cache lines that a request waits for if each
/// one goes to another of 300 backends (callgrind, docs/performance.md).
void backend(const Upstreams& upstreams, routing::BackendIndex to) noexcept;

}  // namespace spillway::gateway::warmup
