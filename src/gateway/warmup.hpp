#pragma once
/// Asks for memory ahead of its use: the only place in the program that does. Of many clients and backends
/// each is cold; what leads from a key to its client's limits lies in three places, each known by the one
/// before, and between asking for one and looking at it there is work that needs none of them. What each list
/// was worth when it was measured stands with it; one that was not shown to matter has no place here.
///
/// Hints change nothing but time. Ownership: what is passed is only read. Thread rule: any. Errors: none.
#include "gateway/clients.hpp"
#include "gateway/worker.hpp"
#include "routing/choice.hpp"

namespace spillway::gateway::warmup {

/// Where the search for a presented key begins, and then the client that was found. Together: 0.44 µs of 0.92
/// to admit one of 100,000 clients, 3 % of a request (bench/micro).
void key(const ClientTable& clients, const identity::ClientKeys::Presented& key) noexcept;
void client(const Upstreams& upstreams, const Client& client) noexcept;

/// What an attempt at a backend reads and counts: 24 of the 60 cache lines that a request to another one of
/// 300 backends each time has to wait for (callgrind, docs/performance.md).
void backend(const Upstreams& upstreams, routing::BackendIndex to) noexcept;

}  // namespace spillway::gateway::warmup
