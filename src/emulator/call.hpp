#pragma once
/// One request's life at a resource: fault, key, deployment, quota, content filter, answer.
/// Thread rule: the resource's thread. The returned coroutine answers `exchange` in all cases, or closes it.
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "http/server.hpp"

namespace spillway::emulator {

class Resource;

[[nodiscard]] boost::asio::awaitable<void> serve_call(std::shared_ptr<Resource> resource,
                                                      http::Exchange& exchange);

}  // namespace spillway::emulator
