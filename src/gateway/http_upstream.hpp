#pragma once
/// The connection to backends over HTTP, through a worker's pools.
/// Ownership: `upstreams` outlives it. Thread rule: its worker's thread. Errors: see UpstreamPort.
#include <optional>

#include "gateway/upstream_port.hpp"
#include "gateway/worker.hpp"

namespace spillway::gateway {

class HttpUpstream final : public UpstreamPort {
public:
    explicit HttpUpstream(Upstreams& upstreams) noexcept : upstreams_(upstreams) {}

    bool open_pooled(routing::BackendIndex backend) override;
    Task<http::NetResult<void>> open_new(routing::BackendIndex backend) override;
    [[nodiscard]] bool is_open() const noexcept override { return upstream_.has_value(); }
    void close() noexcept override { upstream_.reset(); }
    void give_up() noexcept override;

    [[nodiscard]] bool reused() const noexcept override { return upstream_->reused(); }
    Task<http::NetResult<void>> send(std::span<const std::string_view> pieces, Duration timeout) override {
        return upstream_->send(pieces, timeout);
    }
    bool send_now(std::span<std::string_view> pieces) override { return upstream_->send_now(pieces); }
    Task<http::NetResult<const http::ResponseHead*>> read_head(Duration timeout, bool head_request) override {
        return upstream_->read_head(timeout, head_request);
    }
    Task<http::NetResult<std::string_view>> read_body(Duration timeout) override {
        return upstream_->read_body(timeout);
    }
    Task<http::NetResult<bool>> pour(http::BodySink& sink, Duration timeout) override {
        return upstream_->pour(sink, timeout);
    }
    [[nodiscard]] std::optional<std::string_view> body_now() override { return upstream_->body_now(); }
    void done() override { upstream_->done(); }
    void cancel() noexcept override {
        if (upstream_) upstream_->cancel();
    }

private:
    Upstreams& upstreams_;
    std::optional<http::Upstream> upstream_;
    http::ConnectCancel connecting_;
};

}  // namespace spillway::gateway
