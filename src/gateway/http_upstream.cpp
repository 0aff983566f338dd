#include "gateway/http_upstream.hpp"

namespace spillway::gateway {

bool HttpUpstream::open_pooled(routing::BackendIndex backend) {
    upstream_ = upstreams_.origins[backend].pooled();
    return is_open();
}

Task<http::NetResult<void>> HttpUpstream::open_new(routing::BackendIndex backend) {
    auto connected = co_await upstreams_.origins[backend].connect(true, connecting_);
    if (!connected) co_return connected.error();
    upstream_.emplace(std::move(*connected));
    co_return http::NetResult<void>();
}

void HttpUpstream::give_up() noexcept {
    connecting_.cancel();
    cancel();
}

}  // namespace spillway::gateway
