#pragma once
/// One request's life at a resource: fault, key, deployment, quota, content filter, answer.
/// Thread rule: the resource's thread. Errors: none; the coroutine always answers `exchange`, or closes it.
#include <memory>

#include "base/task.hpp"
#include "http/server.hpp"

namespace spillway::emulator {

class Resource;

[[nodiscard]] Task<void> serve_call(std::shared_ptr<Resource> resource, http::Exchange& exchange);

}  // namespace spillway::emulator
