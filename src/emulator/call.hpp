#pragma once
/// One request's life at a resource: fault, key, deployment, quota, content filter, answer.
/// Thread rule: the resource's thread. The returned coroutine answers `exchange` in all cases, or closes it.
#include <memory>

#include "base/task.hpp"
#include "http/server.hpp"

namespace spillway::emulator {

class Resource;

[[nodiscard]] Task<void> serve_call(std::shared_ptr<Resource> resource, http::Exchange& exchange);

}  // namespace spillway::emulator
