#pragma once
/// Numbers for what the router keeps: backends, in the configuration's order, and deployment names.
/// Thread rule: plain values. Errors: none.
#include <cstdint>

namespace spillway::routing {

using BackendIndex = std::uint32_t;
inline constexpr BackendIndex no_backend = 0xffffffffU;

/// An interned deployment or model name, possibly the empty one.
struct DeploymentRef {
    std::uint32_t index = 0;
};

/// An operation's index in the table of operations; routing knows nothing else about it.
using OperationIndex = std::uint8_t;
inline constexpr OperationIndex max_operations = 16;

}  // namespace spillway::routing
