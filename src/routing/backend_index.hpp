#pragma once
/// Numbers for what the router keeps: backends, in the configuration's order, and names of deployments.
/// Thread rule: plain values. Errors: none.
#include <cstdint>

namespace spillway::routing {

using BackendIndex = std::uint32_t;
inline constexpr BackendIndex no_backend = 0xffffffffU;

/// A requested deployment or model name, interned; the empty name is one as well.
struct DeploymentRef {
    std::uint32_t index = 0;
};

/// An operation's place in the table of operations; routing knows nothing else of it.
using OperationIndex = std::uint8_t;
inline constexpr OperationIndex max_operations = 16;

}  // namespace spillway::routing
